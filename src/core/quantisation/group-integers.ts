import { decodeToFloat32 } from '../base/number-formats.ts';
import type { StoredWeight, TensorBytes } from './stored-weight.ts';

type Weight = StoredWeight<TensorBytes>;

function words({ bytes }: TensorBytes): Int32Array {
  // A view of 32-bit words cannot begin at every byte of its buffer.
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Int32Array(buffer, byteOffset, byteLength / 4);
}

function floats(tensor: TensorBytes): Float32Array {
  const { dtype, bytes, name } = tensor;
  if (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16') throw new RangeError(`scales "${name}" of ${dtype}`);
  return decodeToFloat32(bytes, dtype);
}

function need(weight: Weight, name: string): TensorBytes {
  const tensor = weight.parts[name];
  if (tensor === undefined) throw new RangeError(`"${weight.name}" has no part "${name}"`);
  return tensor;
}

/** The unsigned integer of `bits` at place `at` of packed words. */
function unpack(packed: Int32Array, at: number, bits: number): number {
  const perWord = 32 / bits;
  return ((packed[Math.floor(at / perWord)] ?? 0) >>> ((at % perWord) * bits)) & (2 ** bits - 1);
}

/** Group of each input: `g_idx` where there is one, else runs of equal length. */
function groupOf(weight: Weight, columns: number, groups: number): (column: number) => number {
  const order = weight.parts['g_idx'];
  if (order !== undefined) {
    const listed = words(order);
    return (column) => listed[column] ?? 0;
  }
  const length = Math.ceil(columns / groups);
  return (column) => Math.floor(column / length);
}

/** GPTQ: w(r, c) = scale(g, r) · (q(c, r) − zero(g, r)), g the group of input c; words run along the inputs. */
export function decodeGptq(weight: Weight, out: Float32Array): void {
  const [rows = 0, columns = 0] = weight.shape;
  const { bits } = weight;
  const perWord = 32 / bits;
  const packed = words(need(weight, 'qweight'));
  const zeros = words(need(weight, 'qzeros'));
  const scales = floats(need(weight, 'scales'));
  const group = groupOf(weight, columns, scales.length / rows);
  const shift = weight.zeroPointsAsStored ? 0 : 1;
  const mask = 2 ** bits - 1;
  for (let column = 0; column < columns; column++) {
    const at = group(column);
    const word = Math.floor(column / perWord) * rows;
    const bit = (column % perWord) * bits;
    for (let row = 0; row < rows; row++) {
      const q = ((packed[word + row] ?? 0) >>> bit) & mask;
      const zero = unpack(zeros, at * rows + row, bits) + shift;
      out[row * columns + column] = (scales[at * rows + row] ?? 0) * (q - zero);
    }
  }
}

/** Where AWQ's GEMM layout puts the outputs 0 … 7 of a word. */
const AWQ_ORDER = [0, 4, 1, 5, 2, 6, 3, 7] as const;

/** AWQ: w(r, c) = scale(g, r) · (q(c, r) − zero(g, r)); words run along the outputs, shuffled in eights. */
export function decodeAwq(weight: Weight, out: Float32Array): void {
  const [rows = 0, columns = 0] = weight.shape;
  const packed = words(need(weight, 'qweight'));
  const zeros = words(need(weight, 'qzeros'));
  const scales = floats(need(weight, 'scales'));
  const group = groupOf(weight, columns, scales.length / rows);
  const place = (row: number): number => row - (row % 8) + (AWQ_ORDER[row % 8] ?? 0);
  for (let column = 0; column < columns; column++) {
    const at = group(column);
    for (let row = 0; row < rows; row++) {
      const q = unpack(packed, column * rows + place(row), 4);
      const zero = unpack(zeros, at * rows + place(row), 4);
      out[row * columns + column] = (scales[at * rows + row] ?? 0) * (q - zero);
    }
  }
}

/**
 * compressed-tensors: w(r, c) = scale(r, g) · (q(r, c) − offset); words run along the inputs, integers are stored with
 * 2^(bits − 1) added; asymmetric ones have a zero point a group, packed along the outputs.
 */
export function decodePacked(weight: Weight, out: Float32Array): void {
  const rows = weight.shape.at(-2) ?? 1;
  const columns = weight.shape.at(-1) ?? 1;
  const { bits } = weight;
  const packed = words(need(weight, 'packed'));
  const scales = floats(need(weight, 'scale'));
  const groups = scales.length / rows;
  const group = groupOf(weight, columns, groups);
  const zeros = weight.parts['zeros'];
  const zeroWords = zeros === undefined ? undefined : words(zeros);
  const perWord = 32 / bits;
  const wordsPerRow = columns / perWord;
  const half = 2 ** (bits - 1);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = group(column);
      const word = packed[row * wordsPerRow + Math.floor(column / perWord)] ?? 0;
      const q = (word >>> ((column % perWord) * bits)) & (2 ** bits - 1);
      // Zero points [R·bits/32, groups]: eight rows of one group share a word.
      const zero =
        zeroWords === undefined
          ? half
          : ((zeroWords[Math.floor(row / perWord) * groups + at] ?? 0) >>> ((row % perWord) * bits)) & (2 ** bits - 1);
      out[row * columns + column] = (scales[row * groups + at] ?? 0) * (q - zero);
    }
  }
}
