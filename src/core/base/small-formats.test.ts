import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { E8M0, FP4_E2M1, FP8_E4M3, FP8_E5M2 } from './small-formats.ts';

/** torch's values in base64 of little-endian f32, by format (tools/goldens/number_formats.py). */
const EXPECTED: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(new URL('../quantisation/fixtures/number-formats.json', import.meta.url), 'utf8'),
);

function expected(format: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(EXPECTED[format] ?? '', 'base64')).buffer);
}

describe.each([
  ['FP8_E4M3', FP8_E4M3, 256],
  ['FP8_E5M2', FP8_E5M2, 256],
  ['E8M0', E8M0, 256],
  ['FP4_E2M1', FP4_E2M1, 16],
] as const)('%s', (format, table, count) => {
  test(`each of its ${count} numbers is the one of torch, signs of zeros included`, () => {
    const values = expected(format);
    expect(values).toHaveLength(count);
    expect(table).toHaveLength(count);
    const wrong = Array.from(table.keys()).filter((bits) => !Object.is(table[bits], values[bits]));
    expect(wrong).toEqual([]);
  });
});

test('the largest, the smallest and the special numbers are those of the formats', () => {
  expect([FP8_E4M3[0x7e], FP8_E4M3[0x01], FP8_E4M3[0x7f], FP8_E4M3[0xff]]).toEqual([
    448,
    2 ** -9,
    Number.NaN,
    Number.NaN,
  ]);
  expect([FP8_E5M2[0x7b], FP8_E5M2[0x01], FP8_E5M2[0xfc]]).toEqual([57_344, 2 ** -16, Number.NEGATIVE_INFINITY]);
  expect([E8M0[0], E8M0[127], E8M0[254], E8M0[255]]).toEqual([2 ** -127, 1, 2 ** 127, Number.NaN]);
  expect([FP4_E2M1[1], FP4_E2M1[7], FP4_E2M1[15]]).toEqual([0.5, 6, -6]);
});
