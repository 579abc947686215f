import { decodeToFloat32 } from '../base/number-formats.ts';
import { unsupportedQuantisation as unsupported } from './unsupported-quantisation.ts';
import type { StoredWeight, TensorBytes } from './weight-scheme.ts';

type Weight = StoredWeight<TensorBytes>;

/** The 32-bit words of a tensor. */
export function wordsOf({ bytes }: TensorBytes): Int32Array<ArrayBuffer> {
  // A view of 32-bit words cannot begin at every byte of its buffer.
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Int32Array(buffer, byteOffset, byteLength / 4);
}

function floats(tensor: TensorBytes): Float32Array<ArrayBuffer> {
  const { dtype, bytes } = tensor;
  if (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16') return decodeToFloat32(bytes, dtype);
  throw unsupported(tensor, `${dtype} is no number format of scales`);
}

function need(weight: Weight, name: string): TensorBytes {
  const tensor = weight.parts[name];
  if (tensor === undefined) throw new RangeError(`"${weight.name}" has no part "${name}"`);
  return tensor;
}

/** Unsigned integers of `bits`, the lowest of each word first, as f32. */
function unpack(words: Int32Array, bits: number): Float32Array<ArrayBuffer> {
  const perWord = 32 / bits;
  const mask = 2 ** bits - 1;
  const out = new Float32Array(words.length * perWord);
  for (let at = 0; at < out.length; at++)
    out[at] = ((words[Math.floor(at / perWord)] ?? 0) >>> ((at % perWord) * bits)) & mask;
  return out;
}

/** Group of each input [leading · C]: `g_idx` where there is one, else runs of equal length. */
function groupsOf(weight: Weight, count: number, groups: number): Int32Array<ArrayBuffer> {
  const columns = weight.shape.at(-1) ?? 1;
  const order = weight.parts['g_idx'];
  const length = weight.block?.[1] ?? Math.ceil(columns / groups);
  const sequential = (): Int32Array<ArrayBuffer> =>
    Int32Array.from({ length: count * columns }, (_, at) => Math.floor((at % columns) / length));
  if (order === undefined) return sequential();
  const listed = wordsOf(order);
  // compressed-tensors fills an order that was never set with −1.
  if (listed.every((group) => group === -1)) return sequential();
  const wrong = listed.find((group) => group < 0 || group >= groups);
  if (wrong !== undefined) throw unsupported(order, `it names group ${wrong} of ${groups}`);
  return listed;
}

/** What turns the integers of a weight into numbers: w = scale · (q − zero) of the input's group. */
export interface IntegerTables {
  /** f32, [groups, R] for `gptq` and `awq`, [..., R, groups] for `packed`. */
  readonly scales: Float32Array<ArrayBuffer>;
  /** What is taken off the stored integer, shaped as the scales; a single number where all are equal. */
  readonly zeros: Float32Array<ArrayBuffer>;
  /** Group of each input. */
  readonly groups: Int32Array<ArrayBuffer>;
  /** Groups of a row. */
  readonly groupCount: number;
}

function qweightZeros(weight: Weight): Float32Array<ArrayBuffer> {
  const zeros = unpack(wordsOf(need(weight, 'qzeros')), weight.bits);
  if (weight.scheme === 'awq') {
    const shuffled = zeros.slice();
    for (let at = 0; at < zeros.length; at++) zeros[at] = shuffled[at - (at % 8) + (AWQ_PLACE[at % 8] ?? 0)] ?? 0;
  } else if (!weight.zeroPointsAsStored) {
    // The first version stores the zero point less one, modulo 2^bits.
    for (let at = 0; at < zeros.length; at++) zeros[at] = ((zeros[at] ?? 0) + 1) % 2 ** weight.bits;
  }
  return zeros;
}

function packedZeros(weight: Weight, groupCount: number): Float32Array<ArrayBuffer> {
  const half = 2 ** (weight.bits - 1);
  const stored = weight.parts['zeros'];
  if (stored === undefined) return Float32Array.of(half);
  // As they are signed: the integers have half the range added.
  if (stored.dtype === 'I8') return Float32Array.from(stored.bytes, (byte) => ((byte << 24) >> 24) + half);
  const rows = weight.shape.at(-2) ?? 1;
  const words = wordsOf(stored);
  const perWord = 32 / weight.bits;
  const wordRows = Math.ceil(rows / perWord);
  const matrices = words.length / (wordRows * groupCount);
  const out = new Float32Array(matrices * rows * groupCount);
  for (let at = 0; at < out.length; at++) {
    const row = Math.floor(at / groupCount) % rows;
    const matrix = Math.floor(at / (groupCount * rows));
    // [R·bits/32, groups]: rows that follow each other share a word.
    const word = words[(matrix * wordRows + Math.floor(row / perWord)) * groupCount + (at % groupCount)] ?? 0;
    out[at] = (word >>> ((row % perWord) * weight.bits)) & (2 ** weight.bits - 1);
  }
  return out;
}

/**
 * Scales, zero points and groups of a weight of the schemes `gptq`, `awq` and `packed`.
 * @throws StudioError `unsupported-quantisation` when `g_idx` names a group that is not there, or the file states another shape.
 */
export function integerTables(weight: Weight): IntegerTables {
  const rows = weight.shape.at(-2) ?? 1;
  const matrices = weight.shape.slice(0, -2).reduce((product, length) => product * length, 1);
  const packed = weight.scheme === 'packed';
  const scales = floats(need(weight, packed ? 'scale' : 'scales'));
  const groupCount = scales.length / (matrices * rows);
  const stated = weight.parts['stated'];
  if (stated?.dtype === 'I64') {
    const shape = [...new BigInt64Array(stated.bytes.slice().buffer)].map(Number);
    if (shape.join() !== weight.shape.join()) {
      throw unsupported(stated, `it states [${shape.join(', ')}], the tensors make [${weight.shape.join(', ')}]`);
    }
  }
  return {
    scales,
    zeros: packed ? packedZeros(weight, groupCount) : qweightZeros(weight),
    groups: groupsOf(weight, matrices, groupCount),
    groupCount,
  };
}

/** GPTQ: w(r, c) = scale(g, r) · (q(c, r) − zero(g, r)), g the group of input c; words run along the inputs. */
export function decodeGptq(weight: Weight, out: Float32Array): void {
  const [rows = 0, columns = 0] = weight.shape;
  const { bits } = weight;
  const { scales, zeros, groups } = integerTables(weight);
  const packed = wordsOf(need(weight, 'qweight'));
  const perWord = 32 / bits;
  const mask = 2 ** bits - 1;
  const bases = groups.map((group) => group * rows);
  // Words of sixteen outputs at a time: what is read is one cache line, what is written sixteen that stay at hand.
  for (let top = 0; top < rows; top += 16) {
    const bottom = Math.min(top + 16, rows);
    for (let first = 0; first < columns; first += perWord) {
      const words = (first / perWord) * rows;
      for (let row = top; row < bottom; row++) {
        let word = packed[words + row] ?? 0;
        let table = -1;
        let scale = 0;
        let zero = 0;
        const start = row * columns;
        for (let input = first; input < first + perWord; input++) {
          const next = (bases[input] ?? 0) + row;
          if (next !== table) {
            table = next;
            scale = scales[table] ?? 0;
            zero = zeros[table] ?? 0;
          }
          out[start + input] = scale * ((word & mask) - zero);
          word >>>= bits;
        }
      }
    }
  }
}

/** Where AWQ's GEMM layout puts the outputs 0 … 7 of a word: the place of four bits, the lowest first. */
export const AWQ_PLACE = [0, 4, 1, 5, 2, 6, 3, 7] as const;

/** AWQ: w(r, c) = scale(g, r) · (q(c, r) − zero(g, r)); words run along the outputs, shuffled in eights. */
export function decodeAwq(weight: Weight, out: Float32Array): void {
  const [rows = 0, columns = 0] = weight.shape;
  const { scales, zeros, groups } = integerTables(weight);
  const packed = wordsOf(need(weight, 'qweight'));
  const wordsPerColumn = rows / 8;
  for (let first = 0; first < rows; first += 8) {
    for (let column = 0; column < columns; column++) {
      const word = packed[column * wordsPerColumn + first / 8] ?? 0;
      const table = (groups[column] ?? 0) * rows + first;
      let at = first * columns + column;
      for (let output = 0; output < 8; output++, at += columns) {
        const q = (word >>> ((AWQ_PLACE[output] ?? 0) * 4)) & 15;
        out[at] = (scales[table + output] ?? 0) * (q - (zeros[table + output] ?? 0));
      }
    }
  }
}

/**
 * compressed-tensors: w(r, c) = scale(r, g) · (q(r, c) − zero(r, g)); words run along the inputs, integers and zero points
 * are stored with 2^(bits − 1) added; a symmetric weight has no zero points.
 */
export function decodePacked(weight: Weight, out: Float32Array): void {
  const rows = weight.shape.at(-2) ?? 1;
  const columns = weight.shape.at(-1) ?? 1;
  const { bits } = weight;
  const { scales, zeros, groups, groupCount } = integerTables(weight);
  const packed = wordsOf(need(weight, 'packed'));
  const perWord = 32 / bits;
  const mask = 2 ** bits - 1;
  const wordsPerRow = Math.ceil(columns / perWord);
  const lastZero = zeros.length - 1;
  for (let row = 0; row < out.length / columns; row++) {
    const inputs = groups.length > columns ? Math.floor(row / rows) * columns : 0;
    let group = -1;
    let scale = 0;
    let zero = 0;
    for (let first = 0; first < columns; first += perWord) {
      let word = packed[row * wordsPerRow + first / perWord] ?? 0;
      const end = row * columns + Math.min(first + perWord, columns);
      for (let at = row * columns + first, input = inputs + first; at < end; at++, input++) {
        const next = groups[input] ?? 0;
        if (next !== group) {
          group = next;
          const table = row * groupCount + group;
          scale = scales[table] ?? 0;
          zero = zeros[Math.min(table, lastZero)] ?? 0;
        }
        out[at] = scale * ((word & mask) - zero);
        word >>>= bits;
      }
    }
  }
}
