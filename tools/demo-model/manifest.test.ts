import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeDemo, licencesOfShippedText } from './manifest.mjs';

const DEMO = fileURLToPath(new URL('../../public/demo/', import.meta.url));

it('the manifest describes the files beside it', () => {
  const manifest = describeDemo(DEMO);
  expect(JSON.parse(readFileSync(`${DEMO}manifest.json`, 'utf8'))).toEqual(manifest);
  expect(manifest.corpora).toHaveLength(16);
  expect(manifest.model.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(30_000_000);
});

it('every source that is shipped under a licence with conditions has its text beside the corpora', () => {
  for (const name of [
    'CPython-PSF-2.0',
    'MPL-2.0',
    'debian-handbook',
    'musl',
    'zlib',
    'lua',
    'jq',
    'libuv',
    'npm-three',
  ]) {
    expect(existsSync(`${DEMO}corpora/LICENSES/${name}.txt`), name).toBe(true);
  }
});

it('reads licences only from sources that are shipped', () => {
  const table =
    '| a | one | MIT |  | 1 | 2 | 30 |\n| a | two | GPL-2 |  | 1 | 2 | – |\n| a | three | Zlib |  | 1 | 2 | 4 |';
  expect([...licencesOfShippedText(table)]).toEqual([['a', ['MIT', 'Zlib']]]);
});
