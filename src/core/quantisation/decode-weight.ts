import { decodeIntoFloat32, decodeToFloat32 } from '../base/number-formats.ts';
import { E8M0, FP4_E2M1, FP8_E4M3, FP8_E5M2 } from '../base/small-formats.ts';
import { decodeAwq, decodeGptq, decodePacked } from './group-integers.ts';
import type { StoredWeight, TensorBytes } from './stored-weight.ts';

function part(weight: StoredWeight<TensorBytes>, name: string): TensorBytes {
  const tensor = weight.parts[name];
  if (tensor === undefined) throw new RangeError(`"${weight.name}" has no part "${name}"`);
  return tensor;
}

/** Scales as f32, whatever float they are stored in. */
export function scalesOf(tensor: TensorBytes): Float32Array<ArrayBuffer> {
  const { dtype, bytes } = tensor;
  if (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16') return decodeToFloat32(bytes, dtype);
  if (dtype === 'U8' || dtype === 'F8_E8M0') return Float32Array.from(bytes, (byte) => E8M0[byte] ?? Number.NaN);
  throw new RangeError(`scales "${tensor.name}" of ${dtype}`);
}

/** value × scale of its block, one f32 multiplication: out(r, c) = decode(byte) · scale[⌊r / rows⌋, ⌊c / columns⌋]. */
function decodeScaled(weight: StoredWeight<TensorBytes>, out: Float32Array): void {
  const { bytes, dtype } = part(weight, 'weight');
  const scales = scalesOf(part(weight, 'scale'));
  const columns = weight.shape.at(-1) ?? 1;
  const rows = weight.shape.at(-2) ?? 1;
  const [blockRows, blockColumns] = weight.block ?? [rows, columns];
  const scaleColumns = Math.ceil(columns / blockColumns);
  const scaleRows = Math.ceil(rows / blockRows);
  const table = dtype === 'F8_E5M2' ? FP8_E5M2 : FP8_E4M3;
  const signed = weight.scheme === 'int8';
  for (let row = 0; row < out.length / columns; row++) {
    const matrix = Math.floor(row / rows);
    const scaleRow = (matrix * scaleRows + Math.floor((row % rows) / blockRows)) * scaleColumns;
    for (let column = 0; column < columns; column++) {
      const byte = bytes[row * columns + column] ?? 0;
      const value = signed ? (byte << 24) >> 24 : (table[byte] ?? 0);
      const scale = scales.length === 1 ? scales[0] : scales[scaleRow + Math.floor(column / blockColumns)];
      out[row * columns + column] = value * (scale ?? Number.NaN);
    }
  }
}

/** Blocks of 32 FP4 numbers, the low half of each byte first, times their block's power of two (OCP MX 1.0). */
function decodeMxfp4(weight: StoredWeight<TensorBytes>, out: Float32Array): void {
  const { bytes } = part(weight, 'blocks');
  const scales = part(weight, 'scales').bytes;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    const scale = E8M0[scales[at >> 4] ?? 0] ?? Number.NaN;
    out[2 * at] = (FP4_E2M1[byte & 15] ?? 0) * scale;
    out[2 * at + 1] = (FP4_E2M1[byte >> 4] ?? 0) * scale;
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
