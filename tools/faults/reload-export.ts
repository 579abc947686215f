import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { isDeepStrictEqual } from 'node:util';
import { chromium, type Page } from '@playwright/test';
import type { Studio } from '../../e2e/studio.ts';
import { CHROMIUM_FLAGS } from '../bench/chromium-page.ts';
import { findChromium } from '../chromium.mjs';
import { createStaticServer, listenOnLoopback } from '../static-server.mjs';
import { DEMO_MODEL, writeDemoPlan } from './demo-plan.ts';
import { beginExport, endOfExport, hashesOf, openForExport, prepareExports } from './exporting-page.ts';

/**
 * Reloads the tab at random moments of an export and resumes it: `npx tsx tools/faults/reload-export.ts [RELOADS] [SEED]`,
 * over the built page (`npm run build`) and the demo model. Each export is reloaded, or its tab closed, one to three times
 * before it may end; its files must be those of an uninterrupted one, byte for byte. First half: written as to a disk, by
 * the browser's own half-written copies; second half: by direct access to private files.
 */
const RELOADS = Number(process.argv[2] ?? 30);
const SEED = Number(process.argv[3] ?? Date.now() % 2 ** 31);
if (!Number.isSafeInteger(RELOADS) || RELOADS < 2 || !Number.isSafeInteger(SEED)) {
  console.error('usage: tsx tools/faults/reload-export.ts [RELOADS] [SEED]');
  process.exit(2);
}

let state = SEED;
/** In [0, 1), equal for equal seeds. */
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

const room = mkdtempSync(join(tmpdir(), 'reap-studio-reloads-'));
const plan = join(room, 'demo.plan.json');
await writeDemoPlan(plan);
const server = await createStaticServer(new URL('../../dist/', import.meta.url).pathname);
const address = `http://127.0.0.1:${await listenOnLoopback(server, 4300)}/`;
const executablePath = findChromium();

const tally = { reloads: 0, 'tabs closed': 0, 'before the first file': 0, 'half done': 0, 'after the end': 0 };

/** Ends the page in one of two ways and opens it again. */
async function interrupted(page: Page): Promise<Page> {
  if (random() < 0.5) return page;
  tally['tabs closed']++;
  const next = await page.context().newPage();
  await page.close();
  return next;
}

/** Interrupts one export `times` times and lets it end. */
async function tear(studio: Studio, folder: string, times: number, duration: number): Promise<Studio> {
  let torn = studio;
  for (let time = 0; time < times; time++) {
    await beginExport(torn, folder);
    await torn.page.waitForTimeout(random() * 0.9 * duration);
    torn = await openForExport(await interrupted(torn.page), address, DEMO_MODEL, plan);
    const names = Object.keys(await hashesOf(torn.page, folder).catch(() => ({})));
    tally.reloads++;
    if (names.includes('config.json')) tally['after the end']++;
    else if (names.some((name) => name.endsWith('.safetensors'))) tally['half done']++;
    else tally['before the first file']++;
  }
  await beginExport(torn, folder);
  await endOfExport(torn);
  return torn;
}

console.log(`${RELOADS} reloads, seed ${SEED}`);
try {
  for (const [half, asOnDisk] of [true, false].entries()) {
    const context = await chromium.launchPersistentContext(join(room, `profile-${half}`), {
      args: CHROMIUM_FLAGS,
      ...(executablePath === undefined ? {} : { executablePath }),
    });
    await prepareExports(context, { asOnDisk });
    let studio = await openForExport(await context.newPage(), address, DEMO_MODEL, plan);
    const started = performance.now();
    await beginExport(studio, 'whole');
    await endOfExport(studio);
    const duration = performance.now() - started;
    const whole = await hashesOf(studio.page, 'whole');
    const until = half === 0 ? Math.floor(RELOADS / 2) : RELOADS;
    for (let round = 0; tally.reloads < until; round++) {
      const times = Math.min(1 + Math.floor(random() * 3), until - tally.reloads);
      studio = await tear(studio, `torn-${round}`, times, duration);
      const found = await hashesOf(studio.page, `torn-${round}`);
      if (!isDeepStrictEqual(found, whole)) throw new Error(`torn-${round} has other bytes: ${JSON.stringify(found)}`);
    }
    await context.close();
    console.log(`${asOnDisk ? 'as on disk' : 'direct access'}, one export in ${(duration / 1000).toFixed(1)} s:`, {
      ...tally,
    });
  }
  console.log('every export ended with the bytes of an uninterrupted one');
} finally {
  server.close();
  rmSync(room, { recursive: true, force: true });
}
