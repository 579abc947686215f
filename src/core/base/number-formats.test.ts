import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodeIntoFloat32, decodeToFloat32, type FloatFormat } from './number-formats.ts';

/** sha256 of the f32 of every pattern as torch decodes it, every NaN as 0x7fc00000 (tools/goldens/number_formats.py). */
const TORCH: Readonly<Record<FloatFormat, string>> = JSON.parse(
  readFileSync(new URL('../quantisation/fixtures/number-formats.json', import.meta.url), 'utf8'),
);

/** The value of a binary floating point number by its definition (IEEE 754, 3.4), in f64. */
function valueByDefinition(bits: number, exponentBits: number, fractionBits: number): number {
  const exponent = Math.floor(bits / 2 ** fractionBits) % 2 ** exponentBits;
  const fraction = (bits % 2 ** fractionBits) / 2 ** fractionBits;
  const negative = bits >= 2 ** (exponentBits + fractionBits);
  const bias = 2 ** (exponentBits - 1) - 1;
  let magnitude: number;
  if (exponent === 2 ** exponentBits - 1) magnitude = fraction === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
  else if (exponent === 0) magnitude = fraction * 2 ** (1 - bias);
  else magnitude = (1 + fraction) * 2 ** (exponent - bias);
  return negative ? -magnitude : magnitude;
}

/** Every 16-bit pattern in order, little-endian, beginning at `shift` bytes of its buffer. */
function everyPattern(shift: number): Uint8Array {
  const bytes = new Uint8Array(2 * 65_536 + shift).subarray(shift);
  for (let bits = 0; bits < 65_536; bits++) bytes.set([bits & 255, bits >> 8], 2 * bits);
  return bytes;
}

describe.each([
  ['BF16', 8, 7],
  ['F16', 5, 10],
] as const)('%s', (format, exponentBits, fractionBits) => {
  test.each([0, 1, 2, 3])('all 65,536 numbers decode exactly from bytes that begin at %d', (shift) => {
    const decoded = decodeToFloat32(everyPattern(shift), format);
    expect(decoded).toHaveLength(65_536);
    const wrong: number[] = [];
    for (let bits = 0; bits < 65_536; bits++) {
      if (!Object.is(decoded[bits], valueByDefinition(bits, exponentBits, fractionBits))) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });

  test('all 65,536 numbers are those of torch, bit for bit but for the payload of NaN', () => {
    const decoded = decodeToFloat32(everyPattern(0), format);
    const bits = new Uint32Array(decoded.buffer);
    for (let at = 0; at < bits.length; at++) if (Number.isNaN(decoded[at])) bits[at] = 0x7fc00000;
    expect(createHash('sha256').update(bits).digest('hex')).toBe(TORCH[format]);
  });
});

test('the definition gives the numbers that everyone knows', () => {
  expect(valueByDefinition(0x3f80, 8, 7)).toBe(1);
  expect(valueByDefinition(0xc049, 8, 7)).toBe(-3.140625);
  expect(valueByDefinition(0x7bff, 5, 10)).toBe(65_504);
  expect(valueByDefinition(0x0001, 5, 10)).toBe(2 ** -24);
});

test('f32 is copied bit by bit, from any byte of its buffer', () => {
  const values = [0, -0, 1.5, -3.4e38, 1e-45, Number.POSITIVE_INFINITY, Number.NaN];
  const bytes = new Uint8Array(4 * values.length + 3).subarray(3);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (const [index, value] of values.entries()) view.setFloat32(4 * index, value, true);
  expect(decodeToFloat32(bytes, 'F32')).toEqual(Float32Array.from(values));
});

describe('decodeIntoFloat32', () => {
  test('fills a part of an array and nothing beside it', () => {
    const out = new Float32Array(5).fill(9);
    decodeIntoFloat32(new Uint8Array([0x80, 0x3f, 0x00, 0x40]), 'BF16', out.subarray(1, 3));
    decodeIntoFloat32(new Uint8Array([0x00, 0x3c]), 'F16', out.subarray(4, 5));
    expect([...out]).toEqual([9, 1, 2, 9, 1]);
  });

  test.each([
    ['BF16', 3],
    ['BF16', 2],
    ['BF16', 6],
    ['F16', 5],
    ['F32', 4],
    ['F32', 10],
  ] as const satisfies readonly (readonly [FloatFormat, number])[])(
    'refuses %s of %d bytes for two numbers',
    (format, size) => {
      expect(() => decodeIntoFloat32(new Uint8Array(size), format, new Float32Array(2))).toThrow(RangeError);
    },
  );

  test('decodeToFloat32 refuses bytes that end inside a number', () => {
    expect(() => decodeToFloat32(new Uint8Array(3), 'F16')).toThrow(RangeError);
    expect(() => decodeToFloat32(new Uint8Array(6), 'F32')).toThrow(RangeError);
  });
});
