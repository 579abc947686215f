import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { shellWord } from './shell-word.ts';

it('leaves plain words as they are', () => {
  expect(['public/demo/model', 'hf:org/name@0123', '0.25'].map(shellWord)).toEqual([
    'public/demo/model',
    'hf:org/name@0123',
    '0.25',
  ]);
  expect(shellWord("it's")).toBe("'it'\\''s'");
});

it('gives any text back through a shell', () => {
  const words = fc.sample(
    fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '').replaceAll(/\p{Cs}/gu, '')),
    {
      numRuns: 300,
      seed: 715,
    },
  );
  const tricky = [
    '',
    "'",
    "a'b''c",
    '$HOME',
    '`id`',
    '"',
    '\\',
    '*',
    '~',
    '#',
    'a b',
    'line\nfeed',
    '!!',
    '-x',
    '$(id)',
  ];
  const all = [...tricky, ...words];
  const out = execFileSync('sh', ['-c', `printf '%s\\0' ${all.map(shellWord).join(' ')}`], { encoding: 'utf8' });
  expect(out.split('\0').slice(0, -1)).toEqual(all);
});
