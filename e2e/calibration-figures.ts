import { expect, type Page } from '@playwright/test';
import type { GoldenCheckpoint } from './golden-checkpoints.ts';
import { Studio } from './studio.ts';

/** Drops a tiny checkpoint and its token ids into the page, ready to calibrate. */
export async function openGolden(
  page: Page,
  golden: GoldenCheckpoint,
  backend: 'auto' | 'wasm' | 'webgpu',
): Promise<Studio> {
  const studio = new Studio(page);
  await page.goto('/');
  await expect(studio.button('Try the demo')).toBeVisible();
  await studio.drop([golden.folder]);
  await expect(page.getByText(golden.name).first()).toBeVisible();
  await studio.chooseTexts([golden.tokenFile]);
  await studio.computeWith(backend);
  return studio;
}

/** The run's statistics against the figures of the checkpoint: counts equal, sums to 1e-4. */
export async function expectFigures(studio: Studio, { layers }: GoldenCheckpoint): Promise<void> {
  const statistics = JSON.parse(new TextDecoder().decode((await studio.download('Export statistics')).bytes));
  expect(statistics.layers.map(({ layer }: { readonly layer: number }) => layer)).toEqual(
    layers.map(({ layer }) => layer),
  );
  for (const [i, { expert_frequency, weighted_ean_sum }] of layers.entries()) {
    const domain = statistics.layers[i].domains[0];
    expect(domain.count).toEqual(expert_frequency);
    for (const [expert, sum] of weighted_ean_sum.entries())
      expect(Math.abs(domain.gateNormSum[expert] - sum)).toBeLessThanOrEqual(1e-4 * sum);
  }
}
