import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isStudioError } from '../base/errors.ts';
import { roleClassifier } from '../checkpoint/tensor-roles.ts';
import type { Architecture } from './descriptor.ts';
import { parseDescriptor, serialiseDescriptor } from './descriptor-file.ts';
import { architectures } from './registry.ts';

const rows = architectures.all();

function firstRow(): Architecture {
  const [row] = rows;
  if (row === undefined) throw new Error('the registry is empty');
  return row;
}

/** The text of a row's file after `change`. */
function changed(change: (file: Record<string, unknown>) => void): string {
  const file: Record<string, unknown> = JSON.parse(serialiseDescriptor(firstRow()));
  change(file);
  return JSON.stringify(file);
}

function refusalOf(text: string): string {
  try {
    parseDescriptor(text);
    return 'read';
  } catch (error) {
    if (!isStudioError(error, 'checkpoint') || error.nextStep === '') throw error;
    return `${error.code} ${String(error.details['path'] ?? '')}`.trim();
  }
}

describe('descriptor files', () => {
  it.each(rows.map((row) => [row.id, row] as const))('%s comes back from its file as it went in', (_, row) => {
    const text = serialiseDescriptor(row);
    expect(parseDescriptor(text)).toEqual(row);
    expect(serialiseDescriptor(parseDescriptor(text))).toBe(text);
  });

  it('are written in one order, whatever order the descriptor has', () => {
    const row = firstRow();
    const turned = Object.fromEntries(Object.entries(row).reverse());
    expect(serialiseDescriptor({ ...row, ...turned })).toBe(serialiseDescriptor(row));
    expect(serialiseDescriptor(row)).toMatch(
      /^\{\n {2}"format": "reap-studio\/descriptor",\n {2}"version": 1,\n {2}"id"/,
    );
  });

  it.each([
    ['no JSON', '{"format":', 'not-json'],
    ['another file', '{"format":"reap-studio/plan","version":1}', 'wrong-format'],
    ['a newer version', changed((file) => (file['version'] = 2)), 'newer-version'],
    ['a file without end', ' '.repeat(1_000_001), 'descriptor-too-large'],
    ['an unknown key', changed((file) => (file['extra'] = 1)), 'invalid-descriptor the top level'],
    ['a missing key', changed((file) => delete file['router']), 'invalid-descriptor router'],
    [
      'a regular expression',
      changed((file) => (file['tensors'] = { router: 'model.(a+)+$' })),
      'invalid-descriptor tensors.router',
    ],
    [
      'a place twice',
      changed((file) => (file['tensors'] = { router: '{layer}.{layer}' })),
      'invalid-descriptor tensors.router',
    ],
    [
      'choices without end',
      changed((file) => (file['tensors'] = { router: '{a|aa}'.repeat(40) })),
      'invalid-descriptor tensors.router',
    ],
    [
      'an unknown place',
      changed((file) => (file['tensors'] = { router: 'model.{tower}' })),
      'invalid-descriptor tensors.router',
    ],
    ['an unknown part', changed((file) => (file['tensors'] = { engine: 'model.x' })), 'invalid-descriptor tensors'],
    ['a wild name to ignore', changed((file) => (file['ignored'] = ['[a-z]*'])), 'invalid-descriptor ignored[0]'],
    [
      'a list without end',
      changed((file) => (file['modelTypes'] = Array(65).fill('a'))),
      'invalid-descriptor modelTypes',
    ],
    [
      'no number',
      changed((file) => (file['router'] = { ...firstRow().router, sumEpsilon: '0' })),
      'invalid-descriptor router.sumEpsilon',
    ],
    ['a section that is no name', changed((file) => (file['section'] = '__proto__')), 'invalid-descriptor section'],
  ])('refuse %s and name the field', (_, text, expected) => {
    expect(refusalOf(text)).toBe(expected);
  });

  it('cannot touch the prototype of anything', () => {
    const text = changed((file) => (file['tensors'] = 0)).replace(
      '"tensors":0',
      '"tensors":{"__proto__":{"router":"x"}}',
    );
    expect(refusalOf(text)).toMatch(/^invalid-descriptor|^read/);
    expect(Reflect.get({}, 'router')).toBeUndefined();
  });

  it('are either refused with a next step, or safe to classify any name with', () => {
    const keys = Object.keys(firstRow());
    const wild = fc.oneof(fc.jsonValue(), fc.string(), fc.constantFrom('{layer}', '{a|b}.{layer}', '((((', '.*', '{'));
    fc.assert(
      fc.property(
        fc.constantFrom(...keys),
        fc.constantFrom('', 'gate', 'up', 'router', 'experts'),
        wild,
        fc.string(),
        (key, inner, value, name) => {
          const text = changed((file) => {
            const old = file[key];
            file[key] = inner !== '' && typeof old === 'object' && old !== null ? { ...old, [inner]: value } : value;
          });
          if (refusalOf(text) !== 'read') return;
          expect(() => roleClassifier(parseDescriptor(text), 4)(name, [1, 2])).not.toThrow();
        },
      ),
      { numRuns: 200 },
    );
  });
});
