/** Formats of weights that are decoded to f32; all are stored little-endian. */
export type FloatFormat = 'F32' | 'F16' | 'BF16';

/** Value of the half-precision number `bits` (IEEE 754 binary16); exact, since every one of them is an f32. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** f32 of every half-precision number: 256 kB, made at the first use. */
let halfTable: Float32Array<ArrayBuffer> | undefined;

function halves(bytes: Uint8Array): Uint16Array {
  // A view of 16-bit units cannot begin at an odd byte of its buffer.
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(buffer, byteOffset, byteLength / 2);
}

/** Bytes of one number in `format`. */
export function bytesPerNumber(format: FloatFormat): 2 | 4 {
  return format === 'F32' ? 4 : 2;
}

/**
 * Decodes `bytes`, which may begin at any byte of their buffer, into `out`. Exact; a NaN stays a NaN, its payload may change.
 * @throws RangeError when `out` has not one element for each number of `bytes`.
 */
export function decodeIntoFloat32(bytes: Uint8Array, format: FloatFormat, out: Float32Array): void {
  if (out.length * bytesPerNumber(format) !== bytes.byteLength) {
    throw new RangeError(`${bytes.byteLength} bytes of ${format} do not fill ${out.length} numbers`);
  }
  if (format === 'F32') {
    new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
    return;
  }
  const from = halves(bytes);
  if (format === 'BF16') {
    // A bf16 is the upper half of an f32.
    const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
    for (let i = 0; i < from.length; i++) bits[i] = (from[i] ?? 0) << 16;
    return;
  }
  halfTable ??= Float32Array.from({ length: 65_536 }, (_, bits) => halfToNumber(bits));
  const table = halfTable;
  for (let i = 0; i < from.length; i++) out[i] = table[from[i] ?? 0] ?? 0;
}

/** Decodes `bytes` to new f32s; see decodeIntoFloat32. @throws RangeError when `bytes` ends inside a number. */
export function decodeToFloat32(bytes: Uint8Array, format: FloatFormat): Float32Array<ArrayBuffer> {
  const out = new Float32Array(Math.ceil(bytes.byteLength / bytesPerNumber(format)));
  decodeIntoFloat32(bytes, format, out);
  return out;
}
