import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { unzipSync } from 'fflate';
import { reapStudio } from './command-line.ts';
import { Studio } from './studio.ts';

const DEMO = new URL('../public/demo/', import.meta.url).pathname;

test('the demo, from one click to a pruned model that verifies', async ({ page, baseURL }) => {
  const foreign: string[] = [];
  const heavy: string[] = [];
  page.on('request', (request) => {
    if (request.url().startsWith('http') && !request.url().startsWith(baseURL ?? '')) foreign.push(request.url());
    if (/safetensors$|\.wasm$|tokenizer\.json$/.test(request.url())) heavy.push(request.url());
  });
  const studio = new Studio(page);
  await page.goto('/');
  await page.waitForLoadState('networkidle');
  expect(heavy, 'nothing heavy before it is asked for').toEqual([]);

  await studio.openDemo();
  await expect(page.getByText('Qwen3-MoE').first()).toBeVisible();
  await expect(page.getByRole('checkbox', { name: 'Python' })).toBeChecked();
  await expect(studio.slider).toHaveValue('25');
  await studio.calibrate();

  const grid = page.getByRole('grid', { name: 'Expert saliency' });
  await expect(grid).toHaveAttribute('aria-rowcount', /^[89]$/);
  await grid.focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  await expect(page.getByText('Layer 1, expert 1').first()).toBeVisible();

  // The kept experts are those of the measured results that come with the model.
  const results = JSON.parse(await readFile(join(DEMO, 'results.json'), 'utf8'));
  await studio.setRatio(50);
  await expect(studio.planSummary).toContainText('16');
  const plan = await studio.download('Export plan');
  const { layers } = JSON.parse(new TextDecoder().decode(plan.bytes));
  expect(layers).toHaveLength(8);
  for (const { layer, keep } of layers) {
    const order = [...results.saliency.python[layer].keys()].sort(
      (a, b) => results.saliency.python[layer][a] - results.saliency.python[layer][b] || b - a,
    );
    expect(keep, `layer ${layer}`).toEqual(order.slice(16).sort((a, b) => a - b));
  }

  const zip = await studio.download('Export model');
  await expect(page.getByRole('status', { name: 'Export result' })).toContainText('Verified');
  const folder = await mkdtemp(join(tmpdir(), 'reap-e2e-'));
  try {
    expect(zip.name).toBe('reap-demo-pruned-50.zip');
    for (const [name, bytes] of Object.entries(unzipSync(zip.bytes))) {
      expect(name).toMatch(/^reap-demo-pruned-50\/[^/]+$/);
      await writeFile(join(folder, basename(name)), bytes);
    }
    const exported = await readFile(join(folder, 'reap-studio.plan.json'));
    expect(exported.equals(plan.bytes), 'the exported folder carries the same plan').toBe(true);
    expect(await reapStudio('verify', folder, '--source', join(DEMO, 'model'))).toMatch(/^right: /);

    // The command line writes the same bytes for the same plan.
    const planFile = join(folder, 'again.plan.json');
    await writeFile(planFile, plan.bytes);
    const again = join(folder, 'again');
    await mkdir(again);
    await reapStudio('export', join(DEMO, 'model'), '--plan', planFile, '--out', again);
    for (const name of [
      'model-00001-of-00003.safetensors',
      'model.safetensors.index.json',
      'config.json',
      'tokenizer.json',
    ]) {
      expect((await readFile(join(again, name))).equals(await readFile(join(folder, name))), name).toBe(true);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  expect(foreign, 'nothing leaves the machine').toEqual([]);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious on the first screen and in the workspace, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    const serious = async (): Promise<string[]> => {
      const { violations } = await new AxeBuilder({ page }).analyze();
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
    };
    const studio = new Studio(page);
    await page.goto('/');
    await expect(studio.button('Try the demo')).toBeVisible();
    expect(await serious()).toEqual([]);
    await studio.openDemo();
    await studio.limitTokens(2048);
    await studio.calibrate();
    expect(await serious()).toEqual([]);
  });
}
