/** Number formats of eight and four bits; every one of their values is an exact f32. */

/** Value of a minifloat with `exponentBits` and `fractionBits` (sign first, bias 2^(e−1) − 1, subnormals, no infinity). */
function minifloat(bits: number, exponentBits: number, fractionBits: number): number {
  const sign = bits >> (exponentBits + fractionBits) ? -1 : 1;
  const exponent = (bits >> fractionBits) & ((1 << exponentBits) - 1);
  const fraction = bits & ((1 << fractionBits) - 1);
  const bias = 2 ** (exponentBits - 1) - 1;
  return exponent === 0
    ? sign * fraction * 2 ** (1 - bias - fractionBits)
    : sign * (1 + fraction * 2 ** -fractionBits) * 2 ** (exponent - bias);
}

/** f32 of every FP8 E4M3 ("fn": no infinities, the two patterns of all ones are NaN), by its byte. */
export const FP8_E4M3: Float32Array = Float32Array.from({ length: 256 }, (_, bits) =>
  (bits & 0x7f) === 0x7f ? Number.NaN : minifloat(bits, 4, 3),
);

/** f32 of every FP8 E5M2 (infinities and NaN as IEEE 754), by its byte. */
export const FP8_E5M2: Float32Array = Float32Array.from({ length: 256 }, (_, bits) => {
  if ((bits & 0x7c) !== 0x7c) return minifloat(bits, 5, 2);
  if ((bits & 3) !== 0) return Number.NaN;
  return bits & 0x80 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
});

/** f32 of every E8M0 scale, by its byte: 2^(byte − 127), 255 is NaN. */
export const E8M0: Float32Array = Float32Array.from({ length: 256 }, (_, bits) =>
  bits === 255 ? Number.NaN : 2 ** (bits - 127),
);

/** f32 of every FP4 E2M1, by its four bits. */
export const FP4_E2M1: Float32Array = Float32Array.from({ length: 16 }, (_, bits) => minifloat(bits, 2, 1));
