import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { cp, open, readFile, utimes, writeFile } from 'node:fs/promises';
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { type HubServer, startHubServer } from '../tools/hub-server/hub-server.ts';
import { prepareFixture } from './golden-checkpoints.ts';
import { cardFacts, keptByPage, RepoDialog } from './repo-dialog.ts';
import { Studio } from './studio.ts';

const ROOT = new URL('..', import.meta.url).pathname;
const DEMO = `${ROOT}public/demo/model`;
const FIXTURE = `${ROOT}e2e/fixtures/qwen3-moe-tiny`;
const TOKEN = 'hf_NothingThatWorksElsewhere';
const PRIVATE = 'local/private';
const GATED = 'local/gated';

const filesOf = (folder: string) => Object.fromEntries(readdirSync(folder).map((name) => [name, `${folder}/${name}`]));
const tiny = { 'config.json': `${FIXTURE}/config.json`, 'model.safetensors': `${FIXTURE}/model.safetensors` };

/** One beside the port of the other tests: this page is served with leave to ask the hub below. */
const PORT = Number(process.env['E2E_PORT'] ?? 4187) + 1;
let hub: HubServer;
let pageServer: ChildProcess;

test.use({ baseURL: `http://127.0.0.1:${PORT}/` });

test.beforeAll(async () => {
  hub = await startHubServer({
    repos: [
      { kind: 'model', id: 'local/reap-demo', files: filesOf(DEMO) },
      { kind: 'model', id: 'local/tiny', files: tiny },
      { kind: 'model', id: PRIVATE, files: tiny, token: TOKEN },
      { kind: 'model', id: GATED, files: tiny, token: TOKEN, gated: true },
    ],
  });
  const allowed = `${hub.endpoint},${hub.contentOrigin}`;
  pageServer = spawn(process.execPath, ['tools/serve.mjs'], {
    cwd: ROOT,
    env: { ...process.env, PORT: String(PORT), REAP_STUDIO_HUB: allowed },
  });
  await new Promise<void>((resolve, reject) => {
    pageServer.stdout?.once('data', () => resolve());
    pageServer.once('exit', () => reject(new Error(`The page could not be served at port ${PORT}.`)));
  });
});

test.afterAll(async () => {
  pageServer.kill();
  await hub.close();
});

test.beforeEach(() => {
  hub.requests.length = 0;
  hub.faults.length = 0;
});

/** Length of a shard's header with the eight bytes before it. */
async function headerBytes(path: string): Promise<number> {
  const file = await open(path);
  const start = Buffer.alloc(8);
  await file.read(start, 0, 8, 0);
  await file.close();
  return 8 + Number(start.readBigUInt64LE());
}

test('a repository shows what its folder shows, from headers alone', async ({ page }) => {
  const studio = new Studio(page);
  await page.goto('/');
  await expect(studio.button('Open repo')).toBeVisible();
  await studio.drop([DEMO]);
  const ofFolder = await cardFacts(page);

  await new RepoDialog(page, hub.endpoint).ask('local/reap-demo');
  await expect(page.getByText('local/reap-demo')).toBeVisible();
  const { Commit: commit, 'Read from the hub': read, ...ofRepo } = await cardFacts(page);
  expect(ofRepo).toEqual(ofFolder);
  expect(commit).toMatch(/^[0-9a-f]{12}$/);
  expect(read).toBeDefined();

  const shards = readdirSync(DEMO).filter((name) => name.endsWith('.safetensors'));
  const needed = await Promise.all(shards.map((name) => headerBytes(`${DEMO}/${name}`)));
  const texts = ['config.json', 'model.safetensors.index.json'].map(
    async (name) => (await readFile(`${DEMO}/${name}`)).length,
  );
  const bound = [...needed, ...(await Promise.all(texts))].reduce((sum, bytes) => sum + bytes, 0);
  expect(hub.bytesSent()).toBeLessThan(bound + 65_536);
  expect(hub.requests.filter(({ authorised }) => authorised)).toEqual([]);
});

test('a model of the hub is calibrated and exported from where it lies', async ({ page }, info) => {
  const golden = await prepareFixture(info.outputPath('golden'));
  await page.goto('/');
  await new RepoDialog(page, hub.endpoint).ask('local/tiny');
  expect((await cardFacts(page))['Read from the hub']).toBe('headers only');
  const studio = new Studio(page);
  await studio.chooseTexts([golden.tokenFile]);
  await studio.computeWith('wasm');
  await studio.calibrate();
  await studio.setRatio(50);
  const plan = JSON.parse(new TextDecoder().decode((await studio.download('Export plan')).bytes));
  for (const { layer, keep } of plan.layers) expect(keep).toEqual(golden.retained[layer]);
  await studio.download('Export model');
  await expect(page.getByRole('status', { name: 'Export result' })).toContainText('Verified', { timeout: 60_000 });
  expect((await cardFacts(page))['Read from the hub']).toMatch(/^[\d.]+ [kM]B$/);
});

test('a private repository wants its token, and the token is nowhere but in memory', async ({ page, baseURL }) => {
  const said: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  page.on('request', (request) => {
    if (request.url().startsWith(baseURL ?? '')) said.push(request.url(), request.postData() ?? '');
  });
  await page.goto('/');
  const repo = new RepoDialog(page, hub.endpoint);
  for (const name of [PRIVATE, GATED]) {
    await repo.ask(name);
    await expect(repo.dialog.getByRole('alert')).toContainText(/token/);
    await expect(repo.token).toBeFocused();
    await repo.token.fill(`${TOKEN}x`);
    await repo.token.press('Enter');
    await expect(repo.dialog.getByRole('alert')).toContainText(/token/);
    await repo.token.fill(TOKEN);
    await repo.token.press('Enter');
    await expect(repo.dialog).toHaveCount(0);
    expect((await cardFacts(page))['Experts a layer']).toBe('8, top-2');
  }

  const asked = hub.requests.filter(({ authorised }) => authorised);
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.filter(({ onContentHost }) => onContentHost)).toEqual([]);
  const kept = await keptByPage(page);
  expect(kept).toContain(PRIVATE);
  expect(kept).not.toContain(TOKEN);
  expect(said.join('\n')).not.toContain(TOKEN);
});

test('what cannot be opened is said in the dialog, and can be put right there', async ({ page }) => {
  await page.goto('/');
  const repo = new RepoDialog(page, hub.endpoint);
  const alert = repo.dialog.getByRole('alert');
  await repo.ask('local/nothing');
  await expect(alert).toContainText('local/nothing');
  await repo.again('no name');
  await expect(alert).toContainText('no name');
  await expect(repo.dialog.getByLabel('Repository')).toBeFocused();

  await repo.dialog.getByLabel('Endpoint').fill('ftp://127.0.0.1/');
  await repo.again('local/tiny');
  await expect(alert).toContainText('The endpoint of the hub is not an http or https address.');
  await repo.dialog.getByLabel('Endpoint').fill('http://127.0.0.1:9');
  await repo.again('local/tiny');
  await expect(alert).toContainText('REAP_STUDIO_HUB=http://127.0.0.1:9', { timeout: 30_000 });

  // A hub that answers nothing: the person gives up, and the page is as it was.
  hub.faults.push({ kind: 'stall', on: 'api', afterBytes: 0 });
  await repo.dialog.getByLabel('Endpoint').fill(hub.endpoint);
  await repo.again('local/tiny');
  await expect(repo.dialog.getByRole('status')).toHaveText('Looking it up…');
  await expect(repo.dialog.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(repo.dialog).toHaveCount(0);
  await expect(repo.studio.button('Open repo')).toBeFocused();
  hub.faults.length = 0;
  await repo.ask('local/tiny');
  expect((await cardFacts(page))['Experts a layer']).toBe('8, top-2');
});

test('what was opened is offered at the next visit, until it is removed', async ({ page }) => {
  const studio = new Studio(page);
  const before = page.getByRole('region', { name: 'Opened before' });
  await page.goto('/');
  await expect(studio.button('Open repo')).toBeVisible();
  await expect(before).toHaveCount(0);
  await studio.drop([FIXTURE]);
  const facts = await cardFacts(page);
  await new RepoDialog(page, hub.endpoint).ask('local/tiny');
  await expect(page.getByText('Read from the hub')).toBeVisible();
  await expect.poll(() => keptByPage(page)).toContain('"label":"local/tiny"');

  await page.reload();
  await expect(before.getByRole('listitem')).toHaveText([/local\/tiny/, /qwen3-moe-tiny/]);
  await before.getByRole('button', { name: /^qwen3-moe-tiny folder/ }).click();
  expect(await cardFacts(page)).toEqual(facts);

  await page.reload();
  await studio.button('Remove qwen3-moe-tiny').click();
  await expect(before.getByRole('listitem')).toHaveText([/local\/tiny/]);
  await page.reload();
  await before.getByRole('button', { name: /^local\/tiny/ }).click();
  await expect(page.getByText('Read from the hub')).toBeVisible();
});

test('loose files say what else is needed', async ({ page }) => {
  await page.goto('/');
  const files = page.getByLabel('Checkpoint files');
  await files.setInputFiles([tiny['model.safetensors']]);
  await expect(page.getByRole('alert')).toContainText('config.json, which says how the model is built, is not there');
  await files.setInputFiles(Object.values(tiny));
  expect((await cardFacts(page))['Experts a layer']).toBe('8, top-2');
});

test('files that change in the middle of a run are noticed, and read anew', async ({ page }, info) => {
  const folder = info.outputPath('changing');
  await cp(DEMO, folder, { recursive: true });
  await writeFile(info.outputPath('text.txt'), 'The folder changes while this is read. '.repeat(400));
  const studio = new Studio(page);
  await page.goto('/');
  await expect(studio.button('Open repo')).toBeVisible();
  await studio.drop([folder]);
  await cardFacts(page);
  await studio.chooseTexts([info.outputPath('text.txt')]);
  await studio.limitTokens(2048);
  await studio.button('Calibrate').click();
  await studio.button('Pause').click();
  await expect(studio.button('Resume')).toBeVisible();
  const later = new Date(Date.now() + 10_000);
  for (const name of readdirSync(folder)) await utimes(`${folder}/${name}`, later, later);
  await studio.button('Resume').click();
  await expect(page.getByText('changing no longer gives the bytes that were opened.')).toBeVisible({ timeout: 60_000 });

  await studio.limitTokens(128);
  await studio.button('Open again').click();
  await expect(page.getByText(/no longer gives the bytes/)).toHaveCount(0);
  await studio.calibrate();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious in the dialog, ${colorScheme}, and it fits a small screen`, async ({
    page,
  }, info) => {
    await page.emulateMedia({ colorScheme });
    await page.goto('/');
    const repo = new RepoDialog(page, hub.endpoint);
    await repo.ask(PRIVATE);
    await expect(repo.dialog.getByRole('alert')).toBeVisible();
    const { violations } = await new AxeBuilder({ page }).analyze();
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(serious.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
    await page.screenshot({ path: info.outputPath('wide.png') });
    await page.setViewportSize({ width: 375, height: 700 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(375);
    await page.screenshot({ path: info.outputPath('narrow.png') });
  });
}
