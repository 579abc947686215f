import { test } from '@playwright/test';
import { folderJourney } from './folder-journey.ts';
import { GOLDEN_NAMES, prepareGolden } from './golden-checkpoints.ts';

/** Full-width norms and half rotation, plain attention, sinks and windows, latent attention. */
const ON_WEBGPU = ['minimax_m2', 'mixtral', 'gpt_oss', 'deepseek_v3'];

for (const name of ON_WEBGPU.filter((golden) => GOLDEN_NAMES.includes(golden))) {
  test(`family ${name} on WebGPU (SwiftShader), from drop to verified export`, async ({ page }, info) => {
    await folderJourney(page, await prepareGolden(name, info.outputPath('golden')), 'webgpu');
  });
}
