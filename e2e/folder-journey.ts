import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { expect, type Page } from '@playwright/test';
import { Studio } from './studio.ts';

const FIXTURE = new URL('./fixtures/qwen3-moe-tiny/', import.meta.url).pathname;

interface Expected {
  readonly input_ids: readonly (readonly number[])[];
  readonly layers: readonly {
    readonly layer: number;
    readonly expert_frequency: readonly number[];
    readonly weighted_ean_sum: readonly number[];
  }[];
  readonly pruned: Readonly<
    Record<
      '25' | '50',
      {
        readonly retained: Readonly<Record<string, readonly number[]>>;
        readonly sha256: Readonly<Record<string, string>>;
      }
    >
  >;
}

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

/** A dropped folder, token ids, one backend: statistics, kept experts and exported tensors against transformers' figures. */
export async function folderJourney(page: Page, tokenFile: string, backend: 'wasm' | 'webgpu'): Promise<void> {
  const expected: Expected = JSON.parse(await readFile(`${FIXTURE}expected.json`, 'utf8'));
  await writeFile(tokenFile, JSON.stringify(expected.input_ids));
  await answerPickerWithPrivateFolder(page);
  const studio = new Studio(page);
  await page.goto('/');
  await expect(studio.button('Try the demo')).toBeVisible();
  await studio.drop([FIXTURE.replace(/\/$/, '')]);
  await expect(page.getByText('qwen3-moe-tiny').first()).toBeVisible();
  await studio.chooseTexts([tokenFile]);
  await studio.computeWith(backend);
  await studio.calibrate();
  await expect(
    page.getByText(backend === 'wasm' ? /WebAssembly, \d+ thread/ : /WebGPU on .*swiftshader/i).first(),
  ).toBeVisible();

  const statistics = JSON.parse(new TextDecoder().decode((await studio.download('Export statistics')).bytes));
  expect(statistics.layers).toHaveLength(expected.layers.length);
  for (const [i, { expert_frequency, weighted_ean_sum }] of expected.layers.entries()) {
    const domain = statistics.layers[i].domains[0];
    expect(domain.count).toEqual(expert_frequency);
    for (const [expert, sum] of weighted_ean_sum.entries())
      expect(Math.abs(domain.gateNormSum[expert] - sum) / sum).toBeLessThan(1e-4);
  }

  await studio.setRatio(50);
  const plan = JSON.parse(new TextDecoder().decode((await studio.download('Export plan')).bytes));
  for (const { layer, keep } of plan.layers) expect(keep).toEqual(expected.pruned['50'].retained[layer]);
  await page.getByRole('radio', { name: 'Into a folder' }).check();
  await studio.button('Export model').click();
  await expect(page.getByRole('status', { name: 'Export result' })).toContainText('Verified', { timeout: 60_000 });
  expect(await tensorHashes(page, 'model.safetensors')).toEqual(expected.pruned['50'].sha256);
}
