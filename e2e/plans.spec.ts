import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { unzipSync } from 'fflate';
import { reapStudio } from './command-line.ts';
import { Studio } from './studio.ts';

const ROOT = new URL('..', import.meta.url).pathname;
const DEMO_MODEL = join(ROOT, 'public/demo/model');
const LAYERS = 8;
const EXPERTS = 32;
const TOP_K = 4;

let room: string;
test.beforeEach(async () => {
  room = await mkdtemp(join(tmpdir(), 'reap-plans-'));
});
test.afterEach(() => rm(room, { recursive: true }));

const opened = (page: Page) => page.getByText(/^Plan from /);
const command = (page: Page) => page.getByRole('textbox', { name: 'Command' });

async function save(name: string, bytes: Uint8Array | string): Promise<string> {
  await writeFile(join(room, name), bytes);
  return join(room, name);
}

/** Runs lines of the page in a shell, in `folder`, where `reap-studio` is the built command line and public/ is at hand. */
async function runLines(lines: string, folder: string): Promise<void> {
  await symlink(join(ROOT, 'public'), join(folder, 'public'));
  const program = `#!/bin/sh\nexec "${process.execPath}" "${ROOT}dist/cli/reap-studio.mjs" "$@"\n`;
  await writeFile(join(folder, 'reap-studio'), program, { mode: 0o755 });
  await promisify(execFile)('sh', ['-c', lines], { cwd: folder, env: { PATH: `${folder}:${process.env['PATH']}` } });
}

const jsonOf = async (path: string) => JSON.parse(await readFile(path, 'utf8'));

test('a plan comes back without its statistics, and gives the bytes of the command line', async ({ page }) => {
  const studio = new Studio(page);
  await studio.openDemo();
  await studio.limitTokens(256);
  await studio.calibrate();
  await studio.setRatio(50);
  const plan = await studio.download('Export plan');
  const statistics = await studio.download('Export statistics');
  const planFile = await save(plan.name, plan.bytes);
  const statisticsFile = await save(statistics.name, statistics.bytes);

  await page.reload();
  await studio.drop([planFile]);
  await expect(opened(page)).toContainText('waits for its model: open “reap-demo”');
  await studio.button('Try the demo').click();
  await expect(opened(page)).toContainText('The slider waits');
  await expect(studio.slider).toBeDisabled();
  await expect(studio.slider).toHaveValue('50');
  await expect(studio.planSummary).toContainText('16');
  await expect(page.getByText(/^Layer 0, expert 0: REAP .*, rank /).first()).toBeVisible();
  expect((await studio.download('Export plan')).bytes).toEqual(plan.bytes);

  const zip = await studio.download('Export model');
  await reapStudio('export', DEMO_MODEL, '--plan', planFile, '--out', join(room, 'by-command'));
  for (const [name, bytes] of Object.entries(unzipSync(zip.bytes))) {
    const file = name.slice(name.indexOf('/') + 1);
    if (file === 'reap-studio.manifest.json') continue;
    expect((await readFile(join(room, 'by-command', file))).equals(bytes), file).toBe(true);
  }

  await studio.button('Discard').click();
  await expect(studio.slider).toBeEnabled();
  await expect(studio.button('Export plan')).toBeDisabled();

  // Its statistics give the same plan again, by the slider and by the line that the page prints.
  await studio.drop([statisticsFile]);
  await studio.finished();
  await studio.setRatio(50);
  expect((await studio.download('Export plan')).bytes).toEqual(plan.bytes);
  await studio.button('Copy as command').click();
  const [first] = (await command(page).inputValue()).split(' &&\n');
  expect(first).toBe('reap-studio plan --stats reap-demo.stats.json --ratio 0.5 --out reap-demo.plan.json');
  await rm(planFile);
  await runLines(first ?? '', room);
  expect((await readFile(planFile)).equals(plan.bytes), 'the same plan').toBe(true);
});

test('the lines that the page prints do the work on the command line, and their statistics open in the page', async ({
  page,
}) => {
  const studio = new Studio(page);
  await studio.openDemo();
  await studio.limitTokens(512);
  await studio.setRatio(50);
  await studio.button('Copy as command').click();
  const lines = await command(page).inputValue();
  expect(lines.split(' &&\n').map((line) => line.split(' ', 2)[1])).toEqual(['calibrate', 'plan', 'export']);
  await page.keyboard.press('Escape');
  await runLines(lines, room);
  expect((await jsonOf(join(room, 'reap-demo-pruned-50/config.json'))).num_experts).toBe(16);

  await studio.drop([join(room, 'reap-demo.stats.json')]);
  await studio.finished();
  const byCommand = await jsonOf(join(room, 'reap-demo.plan.json'));
  const byPage = JSON.parse(new TextDecoder().decode((await studio.download('Export plan')).bytes));
  expect(byPage.layers).toEqual(byCommand.layers);
  expect(byPage.calibration).toEqual(byCommand.calibration);
});

/** As llama-expert-profile would leave it: every expert chosen alike, norms falling with its number. */
function expertStats(): string {
  const all = (value: (expert: number) => number) => Array.from({ length: EXPERTS }, (_, expert) => value(expert));
  const layer = {
    total_tokens: EXPERTS,
    activation_counts: all(() => TOP_K),
    avg_gate_weight: all(() => 0.25),
    ean_mean: all((expert) => EXPERTS - expert),
    reap: all((expert) => (EXPERTS - expert) / 4),
  };
  return JSON.stringify(Object.fromEntries(Array.from({ length: LAYERS }, (_, index) => [index, layer])));
}

test('files of other tools open as what they are, and others are refused in words', async ({ page }) => {
  const studio = new Studio(page);
  await studio.openDemo();
  await studio.drop([await save('expert_stats.json', expertStats())]);
  await studio.finished();
  await expect(page.getByText('Opened from expert_stats.json')).toBeVisible();
  await expect(page.getByText(/six digits/)).toBeVisible();
  await studio.setRatio(50);
  const { layers } = JSON.parse(new TextDecoder().decode((await studio.download('Export plan')).bytes));
  expect(layers[7].keep).toEqual(Array.from({ length: 16 }, (_, expert) => expert));
  await page.getByLabel('Metric').selectOption('max-activation');
  await expect(studio.planSummary).toContainText('does not measure');
  await page.getByLabel('Metric').selectOption('reap');

  const kept = Object.fromEntries(
    Array.from({ length: LAYERS }, (_, layer) => [
      `model.layers.${layer}.mlp`,
      Array.from({ length: 24 }, (_, e) => e + 8),
    ]),
  );
  await page.getByLabel('Plan or statistics file').setInputFiles([await save('kept it.json', JSON.stringify(kept))]);
  await expect(opened(page)).toContainText('Plan from kept it.json, 25 %');
  await expect(page.getByText('Layer 0, expert 0: cut by the plan, no score').first()).toBeVisible();
  await studio.button('Copy as command').click();
  expect((await command(page).inputValue()).split(' &&\n')).toEqual([
    "reap-studio plan --import 'kept it.json' --model public/demo/model --out reap-demo.plan.json",
    'reap-studio export public/demo/model --plan reap-demo.plan.json --out reap-demo-pruned-25',
  ]);
  await page.keyboard.press('Escape');

  for (const [name, content, words] of [
    ['short.json', '{"0": [1, 2, 3, 4]}', 'holds one layer, and the model has 8'],
    ['evil.pt', 'no torch file', 'is no file of torch.save'],
    ['broken.plan.json', '{', 'is not JSON'],
  ] as const) {
    await studio.drop([await save(name, content)]);
    await expect(page.getByRole('alert').filter({ hasText: words })).toBeVisible();
  }
});

test('axe finds nothing serious with a plan that waits, one that holds, and the command', async ({ page }) => {
  const expectSound = async (what: string): Promise<void> => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      expect(
        serious.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
        `${what}, ${colorScheme}`,
      ).toEqual([]);
    }
  };
  const studio = new Studio(page);
  await studio.openDemo();
  const kept = Array.from({ length: LAYERS }, () => Array.from({ length: 16 }, (_, expert) => expert));
  await studio.drop([await save('kept.json', JSON.stringify(kept))]);
  await expect(opened(page)).toContainText('The slider waits');
  await expectSound('a plan that holds');
  const plan = await studio.download('Export plan');
  await studio.button('Copy as command').click();
  await expect(command(page)).toBeVisible();
  await expectSound('the command');
  await page.reload();
  await studio.drop([await save(plan.name, plan.bytes)]);
  await expect(opened(page)).toContainText('waits for its model');
  await expectSound('a plan that waits');
});
