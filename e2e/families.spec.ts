import { test } from '@playwright/test';
import { calibrationJourney, folderJourney } from './folder-journey.ts';
import { GOLDEN_NAMES, prepareGolden } from './golden-checkpoints.ts';

/** Eight-bit floats with partial blocks, fused experts either way, a nested config, groups: the rest is exported in Node's tests. */
const EXPORTED = ['minimax_m2_fp8_b128', 'gpt_oss', 'qwen3_5_moe', 'deepseek_v3'];

/** One of each kind of mixer and router besides; Node's tests run all. `E2E_FAMILIES=all` takes every checkpoint at hand. */
const PLANNED = ['llama4', 'ernie4_5_moe', 'qwen3_next', 'nemotron_h', 'longcat_flash'];
const all = process.env['E2E_FAMILIES'] === 'all';

for (const name of GOLDEN_NAMES.filter((other) => all || [...EXPORTED, ...PLANNED].includes(other))) {
  const whole = EXPORTED.includes(name);
  test(`family ${name} on WebAssembly, ${whole ? 'from drop to verified export' : 'from drop to plan'}`, async ({
    page,
  }, info) => {
    const golden = await prepareGolden(name, info.outputPath('golden'));
    if (whole) await folderJourney(page, golden, 'wasm');
    else await calibrationJourney(page, golden, 'wasm');
  });
}
