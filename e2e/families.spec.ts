import { test } from '@playwright/test';
import { folderJourney } from './folder-journey.ts';
import { GOLDEN_NAMES, prepareGolden } from './golden-checkpoints.ts';

for (const name of GOLDEN_NAMES) {
  test(`family ${name} on WebAssembly, from drop to verified export`, async ({ page }, info) => {
    await folderJourney(page, await prepareGolden(name, info.outputPath('golden')), 'wasm');
  });
}
