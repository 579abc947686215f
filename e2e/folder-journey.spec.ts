import { test } from '@playwright/test';
import { folderJourney } from './folder-journey.ts';
import { prepareFixture } from './golden-checkpoints.ts';

test('a dropped folder on WebAssembly, to a folder whose tensors are the reference’s', async ({ page }, info) => {
  await folderJourney(page, await prepareFixture(info.outputPath('golden')), 'wasm');
});
