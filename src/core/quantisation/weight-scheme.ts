import type { Dtype } from '../safetensors/dtype.ts';

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
 * - `int8`: `weight` in I8, `scale` likewise, optional `zeros` in I8 shaped as the scales.
 * - `mxfp4`: `blocks` [..., R, C/32, 16] of FP4 pairs, `scales` [..., R, C/32] in E8M0.
 * - `gptq`: `qweight` int32 [C·bits/32, R], `qzeros`, `scales` [C/g, R], optional `g_idx` [C].
 * - `awq`: `qweight` int32 [C, R·bits/32] with the nibbles of eight columns shuffled, `qzeros`, `scales`.
 * - `packed`: compressed-tensors' `weight_packed` int32 [..., R, C·bits/32], `weight_scale` [..., R, C/g], optional zero
 *   points ([..., R·bits/32, C/g] packed, or [..., R, C/g] in I8), `g_idx` [C] and the shape as the file states it.
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
  /** Rows and columns that share a scale; undefined for `plain`, `mxfp4` and where `g_idx` decides. */
  readonly block: readonly [number, number] | undefined;
  /** Bits of an integer. */
  readonly bits: number;
  readonly zeroPointsAsStored: boolean;
}
