import { test } from '@playwright/test';
import { calibrationJourney } from './folder-journey.ts';
import { GOLDEN_NAMES, prepareGolden } from './golden-checkpoints.ts';

/** Full-width norms and half rotation, plain attention, sinks and windows, latent attention. */
const ON_WEBGPU = ['minimax_m2', 'mixtral', 'gpt_oss', 'deepseek_v3'];

for (const name of ON_WEBGPU.filter((golden) => GOLDEN_NAMES.includes(golden))) {
  test(`family ${name} on WebGPU (SwiftShader), from drop to plan`, async ({ page }, info) => {
    await calibrationJourney(page, await prepareGolden(name, info.outputPath('golden')), 'webgpu');
  });
}
