import { type ChildProcess, spawn } from 'node:child_process';
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { type HubServer, startHubServer } from '../tools/hub-server/hub-server.ts';
import { Studio } from './studio.ts';

const ROOT = new URL('..', import.meta.url).pathname;
const PARQUET = `${ROOT}src/core/corpus/fixtures/parquet`;
const TOKEN = 'hf_NothingThatWorksElsewhere';
const lines = new TextEncoder().encode('{"text":"The router sends each token to its experts."}\n'.repeat(40));

/** Two beside the port of the other tests: this page is served with leave to ask the hub below. */
const PORT = Number(process.env['E2E_PORT'] ?? 4187) + 2;
let hub: HubServer;
let pageServer: ChildProcess;

test.use({ baseURL: `http://127.0.0.1:${PORT}/` });

test.beforeAll(async () => {
  const commit = 'c'.repeat(40);
  hub = await startHubServer({
    repos: [
      { kind: 'dataset', id: 'local/chats', files: { 'README.md': lines } },
      {
        kind: 'dataset',
        id: 'local/chats',
        commit,
        revisions: { 'refs/convert/parquet': commit },
        files: {
          'default/train/0000.parquet': `${PARQUET}/conversations.parquet`,
          'sums/test/0000.parquet': `${PARQUET}/instructions.parquet`,
        },
      },
      { kind: 'dataset', id: 'local/lines', files: { 'train.jsonl': lines }, token: TOKEN },
    ],
  });
  pageServer = spawn(process.execPath, ['tools/serve.mjs'], {
    cwd: ROOT,
    env: { ...process.env, PORT: String(PORT), REAP_STUDIO_HUB: `${hub.endpoint},${hub.contentOrigin}` },
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

/** Calibrates on the texts that are listed and gives the domains of the plan. */
async function calibratedDomains(studio: Studio): Promise<{ name: string; tokens: number; hash: string }[]> {
  await studio.limitTokens(64);
  await studio.calibrate();
  const plan = await studio.download('Export plan');
  return JSON.parse(new TextDecoder().decode(plan.bytes)).calibration.domains;
}

const rowOf = (page: Page, name: string) =>
  page.getByRole('list', { name: 'Your text' }).getByRole('listitem').filter({ hasText: name });

test('conversations in a parquet file are found, shown and calibrated on', async ({ page }) => {
  const studio = new Studio(page);
  await studio.openDemo();
  await page.getByRole('checkbox', { name: 'Python' }).uncheck();
  await studio.chooseTexts([`${PARQUET}/conversations.parquet`]);
  const row = rowOf(page, 'conversations.parquet');
  await expect(row).toContainText("2 rows, conversations, by the model's chat template");
  await row.getByText('Show how it begins').click();
  await expect(row.locator('pre').first()).toHaveText(/<\|im_start\|>user\n1 \+ 1\?<\|im_end\|>/);
  const column = row.getByLabel('Column');
  await expect(column).toHaveValue('conversations');
  await column.selectOption('source');
  await expect(row.locator('pre')).toHaveText(['a', 'b']);
  await expect(row).toContainText('2 rows, text as it stands');
  await column.selectOption('conversations');
  await expect(row).toContainText("by the model's chat template");
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);

  const domains = await calibratedDomains(studio);
  expect(domains).toMatchObject([{ name: 'conversations.parquet' }]);
  expect(domains[0]?.tokens).toBeGreaterThan(20);
});

test('data sets of the hub are found by name, pinned, and calibrated on apart', async ({ page }) => {
  await page.addInitScript((endpoint) => localStorage.setItem('reap-studio.hub-endpoint', endpoint), hub.endpoint);
  const studio = new Studio(page);
  await studio.openDemo();
  await page.getByRole('checkbox', { name: 'Python' }).uncheck();
  await studio.button('Hub dataset').click();
  const field = page.getByRole('textbox', { name: 'Hub dataset' });
  await field.fill('local/chats[images]:2');
  await studio.button('Add dataset').click();
  await expect(page.getByRole('alert')).toContainText('no subset "images": it has default, sums');
  await field.fill('local/chats[sums](test):2,local/lines:3');
  await studio.button('Add dataset').click();
  await expect(page.getByRole('alert')).toContainText('no public data set "local/lines"');
  hub.requests.length = 0;
  await page.getByLabel('Access token').fill(TOKEN);
  await studio.button('Add dataset').click();

  const sums = rowOf(page, 'local/chats[sums](test)');
  await expect(sums).toContainText('first 2 rows');
  await expect(sums.getByRole('combobox')).toHaveValue('instruction+input+output');
  await expect(rowOf(page, 'local/lines')).toContainText('Column: text');
  // The token goes to the hub, and not to where its files come from.
  expect(hub.requests.filter(({ onContentHost, authorised }) => onContentHost && authorised)).toEqual([]);

  const domains = await calibratedDomains(studio);
  expect(domains.map(({ name }) => name)).toEqual(['local/chats[sums](test)', 'local/lines[default](train)']);
});
