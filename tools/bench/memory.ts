import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from '@playwright/test';
import { findChromium } from '../chromium.mjs';
import { createStaticServer, listenOnLoopback } from '../static-server.mjs';
import { qwen3Moe } from '../synthetic/models.ts';
import { tokenIds, writeModel } from '../synthetic/write-model.ts';
import { CHROMIUM_FLAGS } from './chromium-page.ts';
import { peakMemory, processesBelow, resetPeak } from './process-memory.ts';

/** Layers of Qwen3-30B-A3B's shapes in BF16, 1.2 GB each. */
const SIZES = [1, 3, 13];
const RATIO_PERCENT = 90;
const SEQUENCES = 4;
const LENGTH = 256;
const PATIENCE_MS = 30 * 60_000;

/** No picker can be answered from outside: a folder of the private file system stands in for one on disk. */
const ANSWER_PICKER = `window.showDirectoryPicker = async () =>
  (await navigator.storage.getDirectory()).getDirectoryHandle('picked', { create: true });`;

interface Peaks {
  readonly gigabytes: number;
  readonly opened: number;
  readonly calibrated: number;
  readonly exported: number;
}

/** The page's renderer, which its workers live in. */
function renderersOf(browserPid: number): number[] {
  return processesBelow(browserPid, /--type=renderer/);
}

function peakOf(pids: readonly number[]): number {
  return Math.max(...pids.map(peakMemory));
}

async function drop(page: Page, folder: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [folder], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await session.send('Input.dispatchDragEvent', { type, x: 400, y: 300, data });
}

async function journey(
  page: Page,
  address: string,
  folder: string,
  pids: () => number[],
): Promise<Omit<Peaks, 'gigabytes'>> {
  page.setDefaultTimeout(PATIENCE_MS);
  await page.addInitScript({ content: ANSWER_PICKER });
  await page.goto(address);
  await page.getByRole('button', { name: 'Try the demo' }).waitFor();
  await drop(page, folder);
  const calibrate = page.getByRole('button', { name: 'Calibrate', exact: true });
  await calibrate.waitFor();
  await page.getByLabel('Text files').setInputFiles(join(folder, 'ids.json'));
  await page.getByText('Advanced', { exact: true }).click();
  await page.getByLabel('Compute with').selectOption('wasm');
  const opened = peakOf(pids());
  await calibrate.click();
  await page.locator('button:enabled', { hasText: 'Export plan' }).waitFor();
  const calibrated = peakOf(pids());
  for (const pid of pids()) resetPeak(pid);
  await page.getByRole('slider', { name: 'Compression ratio' }).fill(String(RATIO_PERCENT));
  // Beyond 2 GB the folder is the only way, and there is nothing to choose.
  const intoFolder = page.getByRole('radio', { name: 'Into a folder' });
  if (await intoFolder.isVisible()) await intoFolder.check();
  await page.getByRole('button', { name: 'Export model', exact: true }).click();
  await page.getByRole('status', { name: 'Export result' }).getByText('Verified').waitFor();
  return { opened, calibrated, exported: peakOf(pids()) };
}

async function measure(layers: number, root: string): Promise<Peaks> {
  const folder = join(root, `model-${layers}`);
  const model = qwen3Moe(layers);
  const bytes = await writeModel(folder, model, { shardBytes: 4e9, headBytes: 4096 });
  await writeFile(join(folder, 'ids.json'), JSON.stringify(tokenIds(SEQUENCES, LENGTH, 1024)));
  const server = await createStaticServer(new URL('../../dist/', import.meta.url).pathname);
  const port = await listenOnLoopback(server, 4300);
  const executablePath = findChromium();
  const profile = join(root, `profile-${layers}`);
  const before = new Set(processesBelow(process.pid, /--type=renderer/));
  const context = await chromium.launchPersistentContext(profile, {
    args: CHROMIUM_FLAGS,
    ...(executablePath === undefined ? {} : { executablePath }),
    viewport: { width: 1440, height: 900 },
  });
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    const pids = (): number[] => renderersOf(process.pid).filter((pid) => !before.has(pid));
    const peaks = await journey(page, `http://127.0.0.1:${port}/`, folder, pids);
    return { gigabytes: bytes / 1e9, ...peaks };
  } finally {
    await context.close();
    server.close();
    await rm(folder, { recursive: true, force: true });
    await rm(profile, { recursive: true, force: true });
  }
}

function spread(values: readonly number[]): string {
  return `${(((Math.max(...values) - Math.min(...values)) / Math.min(...values)) * 100).toFixed(1)} %`;
}

/**
 * Peak resident memory of the renderer process (page and workers) while sparse checkpoints of three sizes are opened,
 * calibrated on WebAssembly and exported into the private file system, each in a browser of its own.
 */
export async function run(): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'reap-memory-'));
  try {
    const rows: Peaks[] = [];
    for (const layers of SIZES) {
      const peaks = await measure(layers, root);
      rows.push(peaks);
      const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
      console.log(
        `  ${peaks.gigabytes.toFixed(1).padStart(4)} GB, ${SEQUENCES * LENGTH} tokens: opened ${mb(peaks.opened)}, calibration ${mb(peaks.calibrated)}, export ${mb(peaks.exported)}`,
      );
    }
    console.log(
      `  largest against smallest: calibration ${spread(rows.map(({ calibrated }) => calibrated))}, export ${spread(rows.map(({ exported }) => exported))} (goal: below 10 %)`,
    );
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
