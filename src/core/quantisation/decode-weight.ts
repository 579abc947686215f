import { decodeIntoFloat32, decodeToFloat32 } from '../base/number-formats.ts';
import { E8M0, FP4_E2M1, FP8_E4M3, FP8_E5M2 } from '../base/small-formats.ts';
import { decodeAwq, decodeGptq, decodePacked } from './group-integers.ts';
import type { StoredWeight, TensorBytes } from './weight-scheme.ts';

/** f32 of every signed byte. */
export const INT8: Float32Array = Float32Array.from({ length: 256 }, (_, byte) => (byte << 24) >> 24);

function part(weight: StoredWeight<TensorBytes>, name: string): TensorBytes {
  const tensor = weight.parts[name];
  if (tensor === undefined) throw new RangeError(`"${weight.name}" has no part "${name}"`);
  return tensor;
}

/** Scales as f32, whatever float they are stored in. @throws RangeError when they are stored in none. */
export function scalesOf(tensor: TensorBytes): Float32Array<ArrayBuffer> {
  const { dtype, bytes } = tensor;
  if (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16') return decodeToFloat32(bytes, dtype);
  if (dtype === 'U8' || dtype === 'F8_E8M0') return Float32Array.from(bytes, (byte) => E8M0[byte] ?? Number.NaN);
  throw new RangeError(`scales "${tensor.name}" of ${dtype}`);
}

/** How the scales of an eight-bit weight lie: scale of (m, r, c) = scales[m · perMatrix + ⌊r / rows⌋ · perRow + ⌊c / columns⌋]. */
export interface ScaleGrid {
  readonly rows: number;
  readonly columns: number;
  readonly perRow: number;
  /** 0 where every matrix of a fused weight has the same scale. */
  readonly perMatrix: number;
}

/** The scale grid of a weight of scheme `fp8` or `int8` with `count` scales. */
export function scaleGridOf({ shape, block }: StoredWeight<TensorBytes>, count: number): ScaleGrid {
  const rows = shape.at(-2) ?? 1;
  const columns = shape.at(-1) ?? 1;
  const [blockRows, blockColumns] = block ?? [rows, columns];
  const perRow = Math.ceil(columns / blockColumns);
  return {
    rows: blockRows,
    columns: blockColumns,
    perRow,
    perMatrix: count === 1 ? 0 : perRow * Math.ceil(rows / blockRows),
  };
}

/** (value − zero) × scale of its block: one f32 multiplication, for the difference is exact. */
function decodeScaled(weight: StoredWeight<TensorBytes>, out: Float32Array): void {
  const { bytes, dtype } = part(weight, 'weight');
  const scales = scalesOf(part(weight, 'scale'));
  const zeros = weight.parts['zeros']?.bytes;
  const grid = scaleGridOf(weight, scales.length);
  const columns = weight.shape.at(-1) ?? 1;
  const rows = weight.shape.at(-2) ?? 1;
  const table = dtype === 'I8' ? INT8 : dtype === 'F8_E5M2' ? FP8_E5M2 : FP8_E4M3;
  for (let row = 0; row < out.length / columns; row++) {
    let block = Math.floor(row / rows) * grid.perMatrix + Math.floor((row % rows) / grid.rows) * grid.perRow;
    const end = (row + 1) * columns;
    for (let start = row * columns; start < end; start += grid.columns, block++) {
      const scale = scales[block] ?? Number.NaN;
      const zero = zeros === undefined ? 0 : (INT8[zeros[block] ?? 0] ?? 0);
      const stop = Math.min(end, start + grid.columns);
      for (let at = start; at < stop; at++) out[at] = ((table[bytes[at] ?? 0] ?? 0) - zero) * scale;
    }
  }
}

/** f32 of every FP4 number under every E8M0 scale, at 16 · scale + number: a multiplication saved for each number. */
const SCALED_FP4: Float32Array = Float32Array.from(
  { length: 4096 },
  (_, at) => (FP4_E2M1[at & 15] ?? 0) * (E8M0[at >> 4] ?? Number.NaN),
);

/** Blocks of 32 FP4 numbers, the low half of each byte first, times their block's power of two (OCP MX 1.0). */
function decodeMxfp4(weight: StoredWeight<TensorBytes>, out: Float32Array): void {
  const { bytes } = part(weight, 'blocks');
  const scales = part(weight, 'scales').bytes;
  for (let block = 0; block < scales.length; block++) {
    const scale = (scales[block] ?? 0) << 4;
    for (let at = 16 * block, end = at + 16; at < end; at++) {
      const byte = bytes[at] ?? 0;
      out[2 * at] = SCALED_FP4[scale | (byte & 15)] ?? 0;
      out[2 * at + 1] = SCALED_FP4[scale | (byte >> 4)] ?? 0;
    }
  }
}

/**
 * Decodes a weight into `out`, row-major in its logical shape; the last product is rounded to f32 once.
 * @throws RangeError when `out` has another size than the weight, or a part is missing.
 */
export function decodeWeight(weight: StoredWeight<TensorBytes>, out: Float32Array): void {
  const size = weight.shape.reduce((product, length) => product * length, 1);
  if (out.length !== size) throw new RangeError(`"${weight.name}" has ${size} numbers, not ${out.length}`);
  switch (weight.scheme) {
    case 'plain': {
      const { bytes, dtype } = part(weight, 'weight');
      if (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16') throw new RangeError(`"${weight.name}" of ${dtype}`);
      decodeIntoFloat32(bytes, dtype, out);
      return;
    }
    case 'fp8':
    case 'int8':
      decodeScaled(weight, out);
      return;
    case 'mxfp4':
      decodeMxfp4(weight, out);
      return;
    case 'gptq':
      decodeGptq(weight, out);
      return;
    case 'awq':
      decodeAwq(weight, out);
      return;
    case 'packed':
      decodePacked(weight, out);
  }
}
