import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StudioError } from '../../src/core/base/errors.ts';
import { parseHeader } from '../../src/core/safetensors/header.ts';
import { layoutTensors } from '../../src/core/safetensors/writer.ts';
import { damagedFiles, validFiles, writeFile } from './safetensors-files.ts';
import { FAULTS, faultyFiles } from './safetensors-mutations.ts';
import { checkAccepted, headerOrRefusal, sameVerdict } from './safetensors-properties.ts';
import { problemOf } from './simple-checker.ts';

describe('written files', () => {
  test('parse to what they were made of, and write again to the same bytes', () => {
    fc.assert(
      fc.property(validFiles, ({ bytes, tensors, metadata }) => {
        const header = parseHeader(bytes, bytes.byteLength, 'x');
        const shapes = header.tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
        expect(new Set(shapes)).toEqual(new Set(tensors));
        expect(header.metadata).toEqual(metadata);
        expect(layoutTensors(tensors, metadata).entries).toEqual(header.tensors);
        checkAccepted(bytes, header);
        expect(Buffer.compare(writeFile(shapes, header.metadata), bytes)).toBe(0);
      }),
      { numRuns: 200, seed: 20_510 },
    );
  });

  test('are not those files any more when one byte is missing or one too many', () => {
    fc.assert(
      fc.property(validFiles, ({ bytes, tensors }) => {
        expect(headerOrRefusal(Uint8Array.from([...bytes, 0]))).toBeNull();
        if (tensors.some(({ shape }) => !shape.includes(0))) expect(headerOrRefusal(bytes.subarray(0, -1))).toBeNull();
      }),
      { numRuns: 100, seed: 20_511 },
    );
  });
});

test('four thousand damaged files are refused by name or hold what they say, as a second reading does', () => {
  let accepted = 0;
  fc.assert(
    fc.property(damagedFiles, (bytes) => {
      if (sameVerdict(bytes)) accepted += 1;
    }),
    { numRuns: 4000, seed: 20_512 },
  );
  // Changes of the tensors' own bytes are none of the reader's business.
  expect(accepted).toBeGreaterThan(80);
  expect(accepted).toBeLessThan(3600);
});

test('a file with one fault is refused for that fault, wherever it is', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(faultyFiles, ({ fault, code, bytes }) => {
      seen.add(fault);
      expect(problemOf(bytes), fault).toBeDefined();
      expect(() => parseHeader(bytes, bytes.byteLength, 'x'), fault).toThrow(expect.objectContaining({ code }));
    }),
    { numRuns: 2000, seed: 20_513 },
  );
  expect([...seen].sort()).toEqual(FAULTS.map(([fault]) => fault).sort());
});

/** Changes one thing in the text of a header of two tensors `a` (F32 [2, 3]) and `b` (U8 [8]). */
const ONE_CHANGE: readonly (readonly [name: string, code: string, change: (json: string) => string])[] = [
  ['a field more', 'unknown-field', (json) => json.replace('"shape"', '"stride":[1],"shape"')],
  ['a field less', 'missing-field', (json) => json.replace('"dtype":"F32",', '')],
  ['a field twice', 'duplicate-key', (json) => json.replace('"dtype"', '"dtype":"F32","dtype"')],
  ['a name twice', 'duplicate-key', (json) => json.replace('"b":', '"a":')],
  ['another dtype', 'size-mismatch', (json) => json.replace('F32', 'BF16')],
  ['an unknown dtype', 'unknown-dtype', (json) => json.replace('F32', 'F33')],
  ['a longer dimension', 'size-mismatch', (json) => json.replace('[2,3]', '[2,4]')],
  ['a negative dimension', 'bad-shape', (json) => json.replace('[2,3]', '[-2,3]')],
  ['an immense dimension', 'size-overflow', (json) => json.replace('[2,3]', '[9007199254740991,3]')],
  ['an inexact dimension', 'bad-shape', (json) => json.replace('[2,3]', '[9007199254740993,3]')],
  ['half a byte', 'partial-byte', (json) => json.replace('"F32","shape":[2,3]', '"F4","shape":[7]')],
  ['offsets that go back', 'bad-offsets', (json) => json.replace('[0,24]', '[24,0]')],
  ['an offset less', 'bad-offsets', (json) => json.replace('[0,24]', '[24]')],
  ['a hole', 'hole', (json) => json.replace('[24,32]', '[25,33]')],
  ['an overlap', 'overlap', (json) => json.replace('[24,32]', '[23,31]')],
  ['a longer last tensor', 'truncated', (json) => json.replace('[8]', '[9]').replace('[24,32]', '[24,33]')],
  ['a shorter last tensor', 'trailing-data', (json) => json.replace('[8]', '[7]').replace('[24,32]', '[24,31]')],
  ['a number as metadata', 'bad-metadata', (json) => json.replace('"pt"', '1')],
  ['a list for an entry', 'bad-entry', (json) => json.replace(/\{"dtype":"F32"[^}]*\}/, '[]')],
  ['a comma less', 'not-json', (json) => json.replace(',"b"', '"b"')],
  ['text before the header', 'header-start', (json) => ` ${json}`],
  ['text after the header', 'trailing-bytes', (json) => `${json.trimEnd()}{}`],
  ['half a surrogate pair', 'not-json', (json) => json.replace('"b"', '"\\ud800"')],
];

describe('one change of a valid header', () => {
  const file = writeFile(
    [
      { name: 'a', dtype: 'F32', shape: [2, 3] },
      { name: 'b', dtype: 'U8', shape: [8] },
    ],
    new Map([['format', 'pt']]),
  );
  const { dataOffset } = parseHeader(file, file.byteLength, 'x');
  const json = new TextDecoder().decode(file.subarray(8, dataOffset));

  test.each(ONE_CHANGE)('%s is %s', (_, code, change) => {
    const text = new TextEncoder().encode(change(json));
    expect(new TextDecoder().decode(text)).not.toBe(json);
    const bytes = new Uint8Array(8 + text.byteLength + file.byteLength - dataOffset);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.byteLength), true);
    bytes.set(text, 8);
    expect(() => parseHeader(bytes, bytes.byteLength, 'x')).toThrow(StudioError);
    expect(() => parseHeader(bytes, bytes.byteLength, 'x')).toThrow(expect.objectContaining({ code }));
  });
});

/** Headers that are cheap to write and might be dear to read, of about `size` bytes each. */
const DEAR: readonly (readonly [name: string, make: (size: number) => string])[] = [
  ['brackets', (size) => `{"a":${'['.repeat(size)}`],
  ['objects', (size) => '{"a":'.repeat(size / 5)],
  ['one endless name', (size) => `{"${'n'.repeat(size)}":0}`],
  ['a name of escapes', (size) => `{"${'\\u0041'.repeat(size / 6)}":0}`],
  ['an endless number', (size) => `{"a":{"shape":[${'1'.repeat(size)}]}}`],
  ['many dimensions', (size) => `{"a":{"shape":[${'1,'.repeat(size / 2)}1]}}`],
  ['spaces', (size) => `{${' '.repeat(size)}`],
  ['metadata', (size) => `{"__metadata__":{${Array.from({ length: size / 16 }, (_, i) => `"${i}":"v"`).join(',')}}`],
  [
    'empty tensors',
    (size) =>
      `{${Array.from({ length: size / 64 }, (_, i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`).join(',')}`,
  ],
];

describe('a dear header is read in linear time and memory', () => {
  test.each(DEAR)('%s', (_, make) => {
    const size = 2_000_000;
    const text = new TextEncoder().encode(make(size));
    const bytes = new Uint8Array(8 + text.byteLength);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.byteLength), true);
    bytes.set(text, 8);
    const before = process.memoryUsage();
    const started = process.cpuUsage();
    expect(headerOrRefusal(bytes)).toBeNull();
    const { user } = process.cpuUsage(started);
    const after = process.memoryUsage();
    expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(25 * size);
    // A quadratic reader would take hours.
    expect(user / 1e6).toBeLessThan(5);
  });
});
