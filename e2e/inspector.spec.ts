import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { reapStudio } from './command-line.ts';
import { Studio } from './studio.ts';

const FIXTURE = new URL('./fixtures/qwen3-moe-tiny/', import.meta.url).pathname;
const ROUTER = 'model.layers.{layer}.mlp.gate';

/** The tiny model as a type that no row has, and its token ids. */
async function mysteryModel(folder: string): Promise<{ readonly model: string; readonly ids: string }> {
  const model = `${folder}/mystery-tiny`;
  await mkdir(model, { recursive: true });
  const config = await readFile(`${FIXTURE}config.json`, 'utf8');
  await writeFile(`${model}/config.json`, config.replace('"qwen3_moe"', '"mystery"'));
  await cp(`${FIXTURE}model.safetensors`, `${model}/model.safetensors`);
  const { input_ids } = JSON.parse(await readFile(`${FIXTURE}expected.json`, 'utf8'));
  await writeFile(`${folder}/ids.json`, JSON.stringify(input_ids));
  return { model, ids: `${folder}/ids.json` };
}

async function openMystery(page: Page, model: string): Promise<Studio> {
  const studio = new Studio(page);
  await page.goto('/');
  await expect(studio.button('Try the demo')).toBeVisible();
  await studio.drop([model]);
  return studio;
}

async function correct(page: Page, field: string, json: string): Promise<void> {
  const line = page.getByLabel(field, { exact: true });
  await line.fill(json);
  await line.press('Enter');
}

test('the inspector opens a model that no row knows, corrected, tested, kept and used up to its export', async ({
  page,
  context,
}, info) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const { model, ids } = await mysteryModel(info.outputPath());
  const studio = await openMystery(page, model);

  await expect(page.getByRole('heading', { name: 'How mystery-tiny is built' })).toBeFocused();
  await expect(page.getByText('The studio does not know models of the type "mystery".')).toBeVisible();
  const lines = page.getByRole('list', { name: 'Lines of the descriptor' });
  await expect(lines.getByText('Uncertain').first()).toBeVisible();
  await expect(lines.getByText('Certain', { exact: true })).toHaveCount(0);
  await page.getByRole('radio', { name: /^All/ }).check();
  await expect(lines.getByText('Certain', { exact: true }).first()).toBeVisible();

  // What is no JSON, and what does not fit the line, is refused under the line; the descriptor stays.
  await correct(page, 'router.scoring', 'sigmoid');
  await expect(page.getByRole('alert')).toContainText('sigmoid is not JSON.');
  await correct(page, 'router.scoring', '"sigmund"');
  await expect(page.getByRole('alert')).toContainText('router.scoring must be "softmax" or "sigmoid" or "sparsemixer"');
  await page.getByLabel('router.scoring', { exact: true }).press('Escape');
  await expect(page.getByLabel('router.scoring', { exact: true })).toHaveValue('"softmax"');

  // A wrong name is found by the test, in the engine's words; the proposed value is one click away.
  const result = page.getByRole('status', { name: 'Layer test' });
  await correct(page, 'tensors.router', '"model.layers.{layer}.mlp.router"');
  await studio.button('Test on one layer').click();
  await expect(result).toContainText('no tensor "model.layers.0.mlp.gate.weight"');
  await page.getByText('Evidence of tensors.router').click();
  await studio.button(JSON.stringify(ROUTER)).click();
  await expect(page.getByLabel('tensors.router', { exact: true })).toHaveValue(JSON.stringify(ROUTER));
  await expect(result).toBeEmpty();
  await studio.button('Test on one layer').click();
  await expect(result).toContainText('Layer 0 computes.', { timeout: 60_000 });
  await expect(result).toContainText('of 8');

  await studio.button('MODEL_ATTRS entry').click();
  await expect(page.getByText('Copied: MODEL_ATTRS entry.')).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('"moe_block": "mlp"');

  const saved = await studio.download('Save descriptor');
  expect(saved.name).toBe('mystery.descriptor.json');
  await expect(page.getByText('Models of the type "mystery" open by it in this browser')).toBeVisible();
  await studio.button('Use this descriptor').click();

  // Calibration, plan and export go by the descriptor: the reference's experts and figures.
  await expect(page.getByText('Read by a descriptor of your own.')).toBeVisible();
  await studio.chooseTexts([ids]);
  await studio.computeWith('wasm');
  await studio.calibrate();
  await studio.setRatio(50);
  const plan = await studio.download('Export plan');
  const expected = JSON.parse(await readFile(`${FIXTURE}expected.json`, 'utf8'));
  const { layers } = JSON.parse(new TextDecoder().decode(plan.bytes));
  expect(layers).toHaveLength(4);
  for (const { layer, keep } of layers) expect(keep).toEqual(expected.pruned['50'].retained[layer]);
  await studio.download('Export model');
  await expect(page.getByRole('status', { name: 'Export result' })).toContainText('Verified', { timeout: 60_000 });

  // The command line takes the file.
  await writeFile(info.outputPath('saved.json'), saved.bytes);
  const inspected = JSON.parse(
    await reapStudio('inspect', model, '--json', '--descriptor', info.outputPath('saved.json')),
  );
  expect(inspected.architecture).toBe('mystery');
});

test('the inspector is passed over for a type whose descriptor is kept, until it is forgotten', async ({
  page,
}, info) => {
  const { model } = await mysteryModel(info.outputPath());
  const studio = await openMystery(page, model);
  const saved = await studio.download('Save descriptor');
  await openMystery(page, model);
  await expect(page.getByText('Read by a descriptor of your own.')).toBeVisible();
  await studio.button('Inspect').click();
  await studio.button('Forget').click();
  await expect(studio.button('Forget')).toHaveCount(0);
  await studio.button('Back').click();
  await expect(studio.button('Calibrate')).toBeVisible();

  await openMystery(page, model);
  await expect(page.getByRole('heading', { name: 'How mystery-tiny is built' })).toBeVisible();
  // A dropped descriptor takes the place of the proposed one.
  const descriptor = JSON.parse(new TextDecoder().decode(saved.bytes));
  await expect(studio.button('Test on one layer')).toBeEnabled();
  const file = info.outputPath('other.descriptor.json');
  await writeFile(file, JSON.stringify({ ...descriptor, label: 'Dropped' }));
  await studio.drop([file]);
  await expect(page.getByText('The descriptor of "other.descriptor.json" is taken over.')).toBeVisible();
  await expect(page.getByLabel('label', { exact: true })).toHaveValue('"Dropped"');
  await writeFile(file, '{"format": "something else"}');
  await studio.drop([file]);
  await expect(page.getByRole('alert')).toContainText('not a descriptor file');
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious in the inspector, ${colorScheme}, and it fits a small screen`, async ({
    page,
  }, info) => {
    await page.emulateMedia({ colorScheme });
    const { model } = await mysteryModel(info.outputPath());
    const studio = await openMystery(page, model);
    await page.getByRole('radio', { name: /^All/ }).check();
    await correct(page, 'router.scoring', 'nonsense');
    await studio.button('Test on one layer').click();
    await expect(page.getByText('Layer 0 computes.')).toBeVisible({ timeout: 60_000 });
    const { violations } = await new AxeBuilder({ page }).analyze();
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(serious.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
    await page.screenshot({ path: info.outputPath('wide.png') });
    await page.setViewportSize({ width: 375, height: 700 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(375);
    await page.screenshot({ path: info.outputPath('narrow.png') });
  });
}
