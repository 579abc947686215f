import { test } from '@playwright/test';
import { calibrationJourney, folderJourney } from './folder-journey.ts';
import { GOLDEN_NAMES, prepareGolden } from './golden-checkpoints.ts';

/** Eight-bit floats with partial blocks, fused experts either way, a nested config, groups: the rest is exported in Node's tests. */
const EXPORTED = ['minimax_m2_fp8_b128', 'gpt_oss', 'qwen3_5_moe', 'deepseek_v3'];

for (const name of GOLDEN_NAMES) {
  const whole = EXPORTED.includes(name);
  test(`family ${name} on WebAssembly, ${whole ? 'from drop to verified export' : 'from drop to plan'}`, async ({
    page,
  }, info) => {
    const golden = await prepareGolden(name, info.outputPath('golden'));
    if (whole) await folderJourney(page, golden, 'wasm');
    else await calibrationJourney(page, golden, 'wasm');
  });
}
