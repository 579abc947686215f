import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { chromium } from '@playwright/test';
import { build, defaultClientConditions } from 'vite';
import { nodeBackend, openNodeBackend } from '../../src/cli/node-backend.ts';
import { openModel } from '../../src/cli/open-model.ts';
import { findChromium } from '../chromium.mjs';
import { createStaticServer, listenOnLoopback } from '../static-server.mjs';
import { CHROMIUM_FLAGS } from './chromium-page.ts';
import { type ModelSizes, madeUpModel } from './weights-page/made-up-model.ts';
import { holdEqual, lineOf, measure } from './weights-page/measure.ts';

const ROOT = new URL('./weights-page', import.meta.url).pathname;
const CACHE = new URL('../../node_modules/.cache/reap-studio/', import.meta.url).pathname;
const SITE = `${CACHE}weights-page/`;
const FIRST_PORT = 4640;
const SOFTWARE_GPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/** In MiniMax-M2's own sizes, but for fewer experts and layers: 0.47 GB. */
const REAL: ModelSizes = { layers: 2, experts: 16, topK: 4, hidden: 3072, inner: 1536 };
const TOKENS = 512;
/** What a processor that plays a graphics processor gets through in a minute: 30 MB. */
const SMALL: ModelSizes = { layers: 2, experts: 16, topK: 4, hidden: 768, inner: 384 };

async function writeModel(folder: string): Promise<number> {
  const { config, pieces, bytes } = madeUpModel(REAL);
  await mkdir(folder, { recursive: true });
  await writeFile(`${folder}config.json`, config);
  const file = await open(`${folder}model.safetensors`, 'w');
  try {
    for (const piece of pieces) await file.writeFile(piece);
  } finally {
    await file.close();
  }
  return bytes;
}

async function onNode(): Promise<void> {
  const folder = `${CACHE}weights-model/`;
  try {
    const bytes = await writeModel(folder);
    const checkpoint = await openModel(folder, new AbortController().signal);
    console.log(`  command line: ${(bytes / 1e6).toFixed(0)} MB, ${TOKENS} tokens, ${JSON.stringify(REAL)}`);
    const apart = await measure(checkpoint, nodeBackend(), TOKENS, false);
    console.log(lineOf('one after the other', apart, bytes));
    const together = await measure(checkpoint, await openNodeBackend(), TOKENS, true);
    console.log(lineOf('overlapping, a thread converts', together, bytes));
    holdEqual(apart, together);
    console.log('  the statistics are the same, bit for bit');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Builds the page into node_modules/.cache; it runs on any machine whose Chromium opens it with `?report`. */
async function buildPage(): Promise<void> {
  await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    base: './',
    resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions] },
    worker: { format: 'es' },
    build: { outDir: SITE, emptyOutDir: true, target: 'esnext' },
  });
}

async function inChromium(tasks: readonly unknown[], flags: readonly string[]): Promise<void> {
  const server = await createStaticServer(SITE);
  const port = await listenOnLoopback(server, FIRST_PORT);
  const executablePath = findChromium();
  const browser = await chromium.launch({
    args: [...CHROMIUM_FLAGS, ...flags],
    ...(executablePath === undefined ? {} : { executablePath }),
  });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.waitForFunction(() => 'measure' in globalThis);
    const lines = await page.evaluate((given): Promise<string[]> => Reflect.get(globalThis, 'measure')(given), tasks);
    console.log(lines.join('\n'));
  } finally {
    await browser.close();
    server.close();
  }
}

/**
 * How much of a run reading, converting (or uploading) and computing wait for each other, one after the other and
 * overlapping: on the command line, on WebAssembly, and on a graphics processor that is played in software.
 */
export async function run(): Promise<void> {
  await onNode();
  await buildPage();
  await inChromium([{ backend: 'wasm', sizes: { ...REAL, experts: 8 }, tokens: TOKENS / 2 }], []);
  await inChromium([{ backend: 'webgpu', sizes: SMALL, tokens: 64 }], SOFTWARE_GPU);
}
