/**
 * Bits per element of every dtype of the safetensors format, in the order of the format's own enumeration: the writer
 * sorts by it, from the last to the first (tensor.rs, `enum Dtype`, release 0.8).
 */
export const BITS_PER_ELEMENT = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

/** How the elements of a tensor are stored, as a safetensors header spells it. */
export type Dtype = keyof typeof BITS_PER_ELEMENT;

const RANKS: ReadonlyMap<string, number> = new Map(Object.keys(BITS_PER_ELEMENT).map((dtype, rank) => [dtype, rank]));

/** True when `text` is the name of a dtype, spelt exactly. */
export function isDtype(text: string): text is Dtype {
  return RANKS.has(text);
}

/** Place of `dtype` in the format's enumeration, 0 first. */
export function dtypeRank(dtype: Dtype): number {
  return RANKS.get(dtype) ?? -1;
}

/** Why a shape has no size in bytes. */
export type SizeProblem = 'size-overflow' | 'partial-byte';

/**
 * Bytes that a tensor of `shape` takes, or why there is no such number: its bits go beyond 2^53 − 1, or F4 and F6
 * elements do not fill whole bytes. `shape` holds non-negative safe integers; [] is one element.
 */
export function sizeInBytes(dtype: Dtype, shape: readonly number[]): number | SizeProblem {
  let bits: number = BITS_PER_ELEMENT[dtype];
  for (const dimension of shape) {
    bits *= dimension;
    if (!Number.isSafeInteger(bits)) return 'size-overflow';
  }
  return bits % 8 === 0 ? bits / 8 : 'partial-byte';
}

/**
 * Bytes that a tensor of `shape` takes.
 * @throws RangeError where sizeInBytes has a problem; shapes from files go through sizeInBytes.
 */
export function byteLength(dtype: Dtype, shape: readonly number[]): number {
  const size = sizeInBytes(dtype, shape);
  if (typeof size === 'number') return size;
  throw new RangeError(`${dtype} [${shape.join(', ')}] has no size in bytes: ${size}`);
}
