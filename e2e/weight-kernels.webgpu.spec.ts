import { readFile } from 'node:fs/promises';
import { expect, test } from '@playwright/test';
import { build } from 'vite';

const ROOT = new URL('..', import.meta.url).pathname;
const CASES = new URL('../src/core/quantisation/fixtures/quantised-weights.json', import.meta.url);
/** Integers of eight bits with zero points: no release has them, the host decodes them. */
const ON_THE_HOST = ['int8 with zero points'];

interface Comparison {
  readonly name: string;
  readonly decodes: boolean;
  readonly numbers: number;
  readonly different: number;
  readonly spilt: number;
}

/** The comparison as one script that leaves `weightKernels.compareKernels` behind. */
async function script(): Promise<string> {
  const built = await build({
    root: ROOT,
    configFile: false,
    publicDir: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'esnext',
      minify: false,
      lib: { entry: `${ROOT}workers/weight-kernels.fixture.ts`, formats: ['iife'], name: 'weightKernels' },
    },
  });
  const outputs = Array.isArray(built) ? built : [built];
  const chunks = outputs.flatMap((one) => ('output' in one ? one.output : []));
  return chunks.map((chunk) => (chunk.type === 'chunk' ? chunk.code : '')).join('\n');
}

test('weights decode on WebGPU (SwiftShader) to the very bits of the decoder in TypeScript', async ({ page }) => {
  await page.goto('/');
  const cases: unknown = JSON.parse(await readFile(CASES, 'utf8'));
  // A script of its own would be refused by the page's policy; the debugger's is not.
  await page.evaluate(`${await script()}\nglobalThis.weightKernels = weightKernels;`);
  const results = await page.evaluate<Comparison[], unknown>(
    (stored) => Reflect.get(globalThis, 'weightKernels').compareKernels(stored),
    cases,
  );
  expect(results.length).toBeGreaterThan(40);
  expect(results.filter(({ decodes }) => !decodes).map(({ name }) => name)).toEqual(ON_THE_HOST);
  expect(results.filter(({ different, spilt }) => different + spilt > 0)).toEqual([]);
  expect(Math.max(...results.map(({ numbers }) => numbers))).toBeGreaterThan(2 * 65_535 * 64);
});
