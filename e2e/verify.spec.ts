import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { DEMO_MODEL, writeDemoPlan } from '../tools/faults/demo-plan.ts';
import { beginExport, endOfExport, openForExport, prepareExports, turnBit } from '../tools/faults/exporting-page.ts';
import { Studio } from './studio.ts';

const SHARD = 'model-00002-of-00003.safetensors';

async function serious(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

test('an exported folder is right until one bit of it is turned', async ({ page, context }, info) => {
  const plan = info.outputPath('demo.plan.json');
  await writeDemoPlan(plan);
  await prepareExports(context, { asOnDisk: true });
  const studio = await openForExport(page, '/', DEMO_MODEL, plan);
  await page.getByLabel('Shards').selectOption({ label: '1 GB at most' });
  await beginExport(studio, 'picked');
  await endOfExport(studio);
  const result = page.getByRole('status', { name: 'Verification result' });
  await studio.button('Verify').click();
  await expect(page.getByRole('heading', { name: 'Verify a pruned model' })).toBeFocused();
  await expect(result).toContainText('Right', { timeout: 30_000 });
  await expect(result).toContainText('the export of "model" by its plan');
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await serious(page), colorScheme).toEqual([]);
    await page.screenshot({ path: info.outputPath(`right-${colorScheme}.png`) });
  }

  const shard = SHARD.replace('00002-of-00003', '00001-of-00001');
  await turnBit(page, 'picked', shard, 5_000_000);
  await studio.button('Verify').click();
  await expect(result).toContainText('Wrong', { timeout: 30_000 });
  await expect(page.getByText(`Byte 5000000 of "${shard}", in the tensor "model.layers.`)).toBeVisible();
  const saved = await studio.download('Download report');
  expect(saved.name).toBe('picked.verification.json');
  const report = JSON.parse(new TextDecoder().decode(saved.bytes));
  expect([report.format, report.ok, report.comparedWithSource]).toEqual(['reap-studio/verification', false, true]);
  expect(report.problems[0]).toMatchObject({ file: shard, tensor: expect.stringContaining('model.layers.') });
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await serious(page), colorScheme).toEqual([]);
    await page.screenshot({ path: info.outputPath(`wrong-${colorScheme}.png`) });
  }
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await page.screenshot({ path: info.outputPath('narrow.png') });
  await studio.button('Back').click();
  await expect(studio.button('Export model')).toBeVisible();

  // At a later visit, with no model open: the folder's own hashes find it as well.
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.reload();
  await studio.button('Verify a pruned model').click();
  await expect(page.getByText('No model is open')).toBeVisible();
  await studio.button('Choose the exported folder').click();
  await studio.button('Verify').click();
  await expect(result).toContainText('Wrong', { timeout: 30_000 });
  await expect(page.getByText(/The tensor "model\.layers\..*has other bytes than were exported/)).toBeVisible();
});

test('a folder that no export wrote is not called right', async ({ page, context }, info) => {
  await prepareExports(context, {});
  const studio = new Studio(page);
  await page.goto('/');
  await studio.button('Verify a pruned model').click();
  await studio.button('Choose the exported folder').click();
  await studio.button('Verify').click();
  await expect(page.getByRole('status', { name: 'Verification result' })).toContainText('Wrong');
  await expect(page.getByText('"reap-studio.manifest.json"').first()).toBeVisible();
  await page.screenshot({ path: info.outputPath('empty.png') });
});
