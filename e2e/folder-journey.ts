import { createHash } from 'node:crypto';
import { expect, type Page } from '@playwright/test';
import { expectFigures, openGolden } from './calibration-figures.ts';
import type { GoldenCheckpoint } from './golden-checkpoints.ts';
import type { Studio } from './studio.ts';

/** The folder picker cannot be answered by a test: a folder of the private file system stands in for the one on disk. */
async function answerPickerWithPrivateFolder(page: Page): Promise<void> {
  await page.addInitScript(() => {
    Object.assign(window, {
      showDirectoryPicker: async () =>
        (await navigator.storage.getDirectory()).getDirectoryHandle('picked', { create: true }),
    });
  });
}

async function tensorHashes(page: Page, file: string): Promise<Record<string, string>> {
  const bytes = await page.evaluate(async (name) => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('picked');
    return [...new Uint8Array(await (await (await folder.getFileHandle(name)).getFile()).arrayBuffer())];
  }, file);
  const buffer = Buffer.from(bytes);
  const headerLength = Number(buffer.readBigUInt64LE(0));
  const header: Record<string, { data_offsets: [number, number] }> = JSON.parse(
    buffer.subarray(8, 8 + headerLength).toString(),
  );
  return Object.fromEntries(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(
        ([
          name,
          {
            data_offsets: [begin, end],
          },
        ]) => [
          name,
          createHash('sha256')
            .update(buffer.subarray(8 + headerLength + begin, 8 + headerLength + end))
            .digest('hex'),
        ],
      ),
  );
}

/** Tensor hashes of all shards of the exported folder. */
async function exportedHashes(page: Page): Promise<Record<string, string>> {
  const files = await page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('picked');
    const names: string[] = [];
    for await (const name of folder.keys()) if (name.endsWith('.safetensors')) names.push(name);
    return names;
  });
  const hashes = await Promise.all(files.map((file) => tensorHashes(page, file)));
  return Object.assign({}, ...hashes);
}

/** A dropped folder, token ids, one backend: statistics and kept experts against transformers' figures. */
export async function calibrationJourney(
  page: Page,
  golden: GoldenCheckpoint,
  backend: 'wasm' | 'webgpu',
): Promise<Studio> {
  await answerPickerWithPrivateFolder(page);
  const studio = await openGolden(page, golden, backend);
  await studio.calibrate();
  await expect(
    page.getByText(backend === 'wasm' ? /WebAssembly, \d+ thread/ : /WebGPU on .*swiftshader/i).first(),
  ).toBeVisible();

  await expectFigures(studio, golden);

  await studio.setRatio(50);
  const plan = JSON.parse(new TextDecoder().decode((await studio.download('Export plan')).bytes));
  for (const { layer, keep, scores } of plan.layers) {
    // Two experts that no token chose are a tie at 0, where the figures drop the lower index and the studio keeps it.
    const tied = scores.filter((score: number) => score === 0).length > 1;
    if (!tied) expect(keep).toEqual(golden.retained[layer]);
  }
  return studio;
}

/** The same, and the tensors of the model that is exported. */
export async function folderJourney(page: Page, golden: GoldenCheckpoint, backend: 'wasm' | 'webgpu'): Promise<void> {
  const studio = await calibrationJourney(page, golden, backend);
  await page.getByRole('radio', { name: 'Into a folder' }).check();
  await studio.button('Export model').click();
  await expect(page.getByRole('status', { name: 'Export result' })).toContainText('Verified', { timeout: 60_000 });
  if (golden.sha256 !== undefined) expect(await exportedHashes(page)).toEqual(golden.sha256);
}
