import type { Dtype } from '../safetensors/dtype.ts';
import { packedWeight, qweightWeight } from './integer-weight.ts';
import type { QuantisationConfig } from './quantisation-config.ts';
import { unsupportedQuantisation as unsupported } from './unsupported-quantisation.ts';
import type { StoredWeight, TensorFacts, WeightScheme } from './weight-scheme.ts';

const FLOATS: ReadonlySet<Dtype> = new Set<Dtype>(['F32', 'F16', 'BF16']);
const EIGHT_BITS: ReadonlySet<Dtype> = new Set<Dtype>(['F8_E4M3', 'F8_E5M2']);
const EXPONENTS: ReadonlySet<Dtype> = new Set<Dtype>(['U8', 'F8_E8M0']);
const SCALES: ReadonlySet<Dtype> = new Set<Dtype>([...FLOATS, ...EXPONENTS]);
/** Block of every FP8 release whose config names none. */
const DEFAULT_BLOCK = [128, 128] as const;
/** Numbers that share a scale in MXFP4. */
const FP4_BLOCK = 32;

function size(shape: readonly number[], axis: number): number {
  return shape.at(axis) ?? 1;
}

/** Scales of a matrix: how many rows and columns of them there are. Leading axes (fused experts) do not count. */
function scaleGrid(weight: TensorFacts, scale: TensorFacts): readonly [number, number] {
  if (scale.shape.every((length) => length === 1)) return [1, 1];
  const leading = Math.max(0, weight.shape.length - 2);
  if (scale.shape.slice(0, leading).join() !== weight.shape.slice(0, leading).join()) {
    throw unsupported(scale, `the scales of a weight [${weight.shape.join(', ')}] begin with its leading sizes`);
  }
  return [scale.shape[leading] ?? 1, scale.shape[leading + 1] ?? 1];
}

/** A scaled eight-bit weight: its scale is one number, one a row, or one a block (the config's size, or what divides). */
function scaled<T extends TensorFacts>(
  weight: T,
  scale: T | undefined,
  zeros: T | undefined,
  quantisation: QuantisationConfig | undefined,
): StoredWeight<T> {
  if (scale === undefined) throw unsupported(weight, 'it has no scale');
  if (!SCALES.has(scale.dtype)) throw unsupported(scale, `${scale.dtype} is no number format of scales`);
  const [rows, columns] = [size(weight.shape, -2), size(weight.shape, -1)];
  const [scaleRows, scaleColumns] = scaleGrid(weight, scale);
  const named = quantisation?.block ?? DEFAULT_BLOCK;
  const fits = ([high, wide]: readonly [number, number]): boolean =>
    Math.ceil(rows / high) === scaleRows && Math.ceil(columns / wide) === scaleColumns;
  const perRow = scaleRows === rows && columns % scaleColumns === 0;
  const isVector = scaleColumns === 1 && (scaleRows === 1 || scaleRows === rows);
  const block = isVector || (perRow && !fits(named)) ? ([rows / scaleRows, columns / scaleColumns] as const) : named;
  if (!fits(block)) {
    throw unsupported(weight, `its scales [${scale.shape.join(', ')}] do not fit blocks of ${block.join(' × ')}`);
  }
  if (weight.dtype !== 'I8') return { ...base(weight, weight.shape, 'fp8', { weight, scale }), block };
  if (zeros === undefined) return { ...base(weight, weight.shape, 'int8', { weight, scale }), block };
  if (zeros.dtype !== 'I8' || zeros.shape.join() !== scale.shape.join()) {
    throw unsupported(zeros, `the zero points of I8 are I8 [${scale.shape.join(', ')}]`);
  }
  return { ...base(weight, weight.shape, 'int8', { weight, scale, zeros }), block };
}

function base<T extends TensorFacts>(
  main: T,
  shape: readonly number[],
  scheme: WeightScheme,
  parts: Readonly<Record<string, T>>,
): StoredWeight<T> {
  return { name: main.name, shape, scheme, parts, block: undefined, bits: 0, zeroPointsAsStored: false };
}

function mxfp4<T extends TensorFacts>(blocks: T, scales: T): StoredWeight<T> {
  if (blocks.dtype !== 'U8' || size(blocks.shape, -1) !== 16) {
    throw unsupported(blocks, 'FP4 blocks are 16 bytes each');
  }
  if (!EXPONENTS.has(scales.dtype) || scales.shape.join() !== blocks.shape.slice(0, -1).join()) {
    throw unsupported(scales, `blocks [${blocks.shape.join(', ')}] want one byte of scale each`);
  }
  const shape = [...blocks.shape.slice(0, -2), size(blocks.shape, -2) * FP4_BLOCK];
  return base(blocks, shape, 'mxfp4', { blocks, scales });
}

/**
 * What a module's tensors store. The tensors decide; config.json only settles what they cannot tell (block size, bits).
 * @param parts The module's tensors by their endings (`weight`, `weight_scale_inv`, `qweight`, `blocks`, …).
 * @throws StudioError family `checkpoint` code `unsupported-quantisation`.
 */
export function storedWeight<T extends TensorFacts>(
  name: string,
  parts: ReadonlyMap<string, T>,
  quantisation: QuantisationConfig | undefined,
): StoredWeight<T> {
  const at = (suffix: string): T | undefined => parts.get(suffix);
  const [blocks, scales] = [at('blocks'), at('scales')];
  if (blocks !== undefined && scales !== undefined) return mxfp4(blocks, scales);
  const packed = at('weight_packed');
  if (packed !== undefined) return packedWeight(parts, packed, quantisation);
  const qweight = at('qweight');
  if (qweight !== undefined) return qweightWeight(parts, qweight, quantisation);
  const weight = at('weight');
  if (weight === undefined) throw unsupported(firstOf(parts, name), 'nothing stores its numbers');
  if (FLOATS.has(weight.dtype)) return base(weight, weight.shape, 'plain', { weight });
  const scale = at('weight_scale_inv') ?? at('weight_scale') ?? at('scale_inv') ?? at('scale');
  if (EIGHT_BITS.has(weight.dtype) || weight.dtype === 'I8') {
    return scaled(weight, scale, at('weight_zero_point'), quantisation);
  }
  throw unsupported(weight, `${weight.dtype} is no number format of weights`);
}

function firstOf<T extends TensorFacts>(parts: ReadonlyMap<string, T>, name: string): TensorFacts {
  return [...parts.values()][0] ?? { name, dtype: 'U8', shape: [] };
}

/**
 * Row `index` of the first axis: one expert of a fused weight, as a weight of its own.
 * @throws RangeError when the tensors have not one piece for each index.
 */
export function sliceFirstAxis<T extends TensorFacts & { readonly offset: number; readonly byteLength: number }>(
  weight: StoredWeight<T>,
  index: number,
): StoredWeight<T> {
  const count = weight.shape[0] ?? 0;
  const parts = Object.entries(weight.parts).map(([name, part]): [string, T] => {
    const shared = part.shape[0] !== count && part.shape.every((length) => length === 1);
    if (shared) return [name, part];
    const byteLength = part.byteLength / count;
    if (part.shape[0] !== count || !Number.isInteger(byteLength) || index < 0 || index >= count) {
      throw new RangeError(`"${part.name}" [${part.shape.join(', ')}] has no piece ${index} of ${count}`);
    }
    return [name, { ...part, shape: part.shape.slice(1), offset: part.offset + index * byteLength, byteLength }];
  });
  return { ...weight, shape: weight.shape.slice(1), parts: Object.fromEntries(parts) };
}
