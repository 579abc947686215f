import { test } from '@playwright/test';
import { folderJourney } from './folder-journey.ts';

test('a dropped folder on WebAssembly, to a folder whose tensors are the reference’s', async ({ page }, info) => {
  await folderJourney(page, info.outputPath('ids.json'), 'wasm');
});
