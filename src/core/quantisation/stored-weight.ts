import { StudioError } from '../base/errors.ts';
import type { Dtype } from '../safetensors/dtype.ts';
import type { QuantisationConfig } from './quantisation-config.ts';

/** What the functions here need to know of a tensor. */
export interface TensorFacts {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** A tensor whose bytes are in memory, as the file holds them. */
export interface TensorBytes extends TensorFacts {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * How a weight's numbers lie in its tensors.
 * - `plain`: `weight` holds them (F32, F16, BF16).
 * - `fp8`: `weight` in FP8, `scale` one number, one a row, or one a block.
 * - `int8`: `weight` in I8, `scale` likewise.
 * - `mxfp4`: `blocks` [..., R, C/32, 16] of FP4 pairs, `scales` [..., R, C/32] in E8M0.
 * - `gptq`: `qweight` int32 [C·bits/32, R], `qzeros`, `scales` [C/g, R], optional `g_idx` [C].
 * - `awq`: `qweight` int32 [C, R·bits/32] with the nibbles of eight columns shuffled, `qzeros`, `scales`.
 * - `packed`: compressed-tensors' `weight_packed` int32 [R, C·bits/32], `weight_scale` [R, C/g], optional zero points and `g_idx`.
 */
export type WeightScheme = 'plain' | 'fp8' | 'int8' | 'mxfp4' | 'gptq' | 'awq' | 'packed';

/** A weight as the model computes with it and the tensors that store it. */
export interface StoredWeight<T extends TensorFacts> {
  /** Name of its main tensor. */
  readonly name: string;
  /** Logical shape [..., R, C]: out, in. */
  readonly shape: readonly number[];
  readonly scheme: WeightScheme;
  readonly parts: Readonly<Record<string, T>>;
  /** Rows and columns that share a scale (`fp8`, `int8` with a block each). */
  readonly block: readonly [number, number] | undefined;
  /** Bits of an integer. */
  readonly bits: number;
  readonly zeroPointsAsStored: boolean;
}

const FLOATS: ReadonlySet<Dtype> = new Set<Dtype>(['F32', 'F16', 'BF16']);
const EIGHT_BITS: ReadonlySet<Dtype> = new Set<Dtype>(['F8_E4M3', 'F8_E5M2']);

function unsupported(tensor: TensorFacts, why: string): StudioError {
  return new StudioError(
    'checkpoint',
    'unsupported-quantisation',
    `The tensor "${tensor.name}" (${tensor.dtype} [${tensor.shape.join(', ')}]) cannot be decoded: ${why}.`,
    {
      nextStep: 'Exporting works for every format; calibrate the BF16 or FP8 release and apply its plan to this one.',
      details: { tensor: tensor.name, dtype: tensor.dtype },
    },
  );
}

function size(shape: readonly number[], axis: number): number {
  return shape.at(axis) ?? 1;
}

/** A scaled eight-bit weight: its scale is one number, one a row, or one a block (the config's size, or what fits). */
function scaled<T extends TensorFacts>(
  weight: T,
  scale: T | undefined,
  scheme: 'fp8' | 'int8',
  quantisation: QuantisationConfig | undefined,
): StoredWeight<T> {
  if (scale === undefined) throw unsupported(weight, 'it has no scale');
  const [rows, columns] = [size(weight.shape, -2), size(weight.shape, -1)];
  const perTensor = scale.shape.every((length) => length === 1);
  // [R] and [R, 1] are rows; with leading axes (fused experts) the last two count.
  const leading = weight.shape.length - 2;
  const scaleRows = perTensor ? 1 : size(scale.shape, leading);
  const scaleColumns = perTensor || scale.shape.length <= leading + 1 ? 1 : size(scale.shape, leading + 1);
  const named = quantisation?.block;
  const fits = (block: readonly [number, number]): boolean =>
    Math.ceil(rows / block[0]) === scaleRows && Math.ceil(columns / block[1]) === scaleColumns;
  const whole = [Math.ceil(rows / scaleRows), Math.ceil(columns / scaleColumns)] as const;
  const isVector = scaleColumns === 1 && (scaleRows === 1 || scaleRows === rows);
  const block = isVector ? ([rows / scaleRows, columns] as const) : (named ?? ([128, 128] as const));
  if (!fits(block)) {
    throw unsupported(
      weight,
      `its scales [${scale.shape.join(', ')}] do not fit blocks of ${block.join(' × ')}${fits(whole) ? ` (they would fit ${whole.join(' × ')})` : ''}`,
    );
  }
  return { ...base(weight, weight.shape, scheme, { weight, scale }), block };
}

function base<T extends TensorFacts>(
  main: T,
  shape: readonly number[],
  scheme: WeightScheme,
  parts: Readonly<Record<string, T>>,
): StoredWeight<T> {
  return { name: main.name, shape, scheme, parts, block: undefined, bits: 0, zeroPointsAsStored: false };
}

function integers<T extends TensorFacts>(
  main: T,
  shape: readonly number[],
  scheme: 'gptq' | 'awq' | 'packed',
  parts: Readonly<Record<string, T>>,
  bits: number,
  zeroPointsAsStored: boolean,
): StoredWeight<T> {
  if (bits !== 4 && bits !== 8) throw unsupported(main, `integers of ${bits} bits are not known`);
  if (main.dtype !== 'I32') throw unsupported(main, 'packed integers are stored as I32');
  return { ...base(main, shape, scheme, parts), bits, zeroPointsAsStored };
}

function present<T>(parts: Readonly<Record<string, T | undefined>>): Readonly<Record<string, T>> {
  return Object.fromEntries(
    Object.entries(parts).flatMap(([name, part]) => (part === undefined ? [] : [[name, part]])),
  );
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
  const bits = quantisation?.bits ?? 4;
  const perWord = 32 / bits;
  const [blocks, scales] = [at('blocks'), at('scales')];
  if (blocks !== undefined && scales !== undefined) {
    const shape = [...blocks.shape.slice(0, -2), size(blocks.shape, -2) * 32];
    if (blocks.dtype !== 'U8' || size(blocks.shape, -1) !== 16)
      throw unsupported(blocks, 'FP4 blocks are 16 bytes each');
    return base(blocks, shape, 'mxfp4', { blocks, scales });
  }
  const packed = at('weight_packed');
  if (packed !== undefined) {
    const shape = [...packed.shape.slice(0, -1), size(packed.shape, -1) * perWord];
    const scale = at('weight_scale');
    if (scale === undefined) throw unsupported(packed, 'it has no "weight_scale"');
    const more = { zeros: at('weight_zero_point'), g_idx: at('weight_g_idx') };
    return integers(packed, shape, 'packed', present({ packed, scale, ...more }), bits, true);
  }
  const qweight = at('qweight');
  if (qweight !== undefined) {
    const [qzeros, groupScales] = [at('qzeros'), at('scales')];
    if (groupScales === undefined || qzeros === undefined)
      throw unsupported(qweight, 'it has no scales or zero points');
    // AWQ packs along the outputs, GPTQ along the inputs: only one of them gives the scales' width.
    const awq = size(qweight.shape, -1) * perWord === size(groupScales.shape, -1);
    const shape = awq
      ? [size(groupScales.shape, -1), size(qweight.shape, -2)]
      : [size(qweight.shape, -1), size(qweight.shape, -2) * perWord];
    const all = present({ qweight, qzeros, scales: groupScales, ...(awq ? {} : { g_idx: at('g_idx') }) });
    return integers(qweight, shape, awq ? 'awq' : 'gptq', all, bits, awq || quantisation?.zeroPointsAsStored === true);
  }
  const weight = at('weight');
  if (weight === undefined) throw unsupported(firstOf(parts, name), 'nothing stores its numbers');
  if (FLOATS.has(weight.dtype)) return base(weight, weight.shape, 'plain', { weight });
  const scale = at('weight_scale_inv') ?? at('weight_scale') ?? at('scale_inv') ?? at('scale');
  if (EIGHT_BITS.has(weight.dtype)) return scaled(weight, scale, 'fp8', quantisation);
  if (weight.dtype === 'I8') return scaled(weight, scale, 'int8', quantisation);
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
