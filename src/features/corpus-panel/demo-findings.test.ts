import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { readFindings } from './demo-findings.ts';

it('counts what the bundled figures show', async () => {
  const text = await readFile(new URL('../../../public/demo/results.json', import.meta.url), 'utf8');
  expect(readFindings(JSON.parse(text))).toEqual({ domains: 8, reapBeatsRandom: 8, frequencyBeatsReap: 5 });
});

it('is silent about anything else', () => {
  expect(readFindings(null)).toBeNull();
  expect(readFindings({ ratios: { '0.25': { reap_domain: {} } } })).toBeNull();
});
