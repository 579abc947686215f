import type { DeltaNetRows, DeltaNetShape } from './gated-delta-net.ts';
import { expectLength, rowCount } from './row-counts.ts';

/** A block of columns that every group of every source row has, and where the blocks of a row go, one after the other. */
interface Move {
  /** Columns of one group, and the block's place and size in it. */
  readonly stride: number;
  readonly from: number;
  readonly count: number;
  /** Columns of a target row, and the first block's place in it. */
  readonly width: number;
  readonly to: number;
}

function moveBlocks(source: Float32Array, groups: number, target: Float32Array, move: Move): void {
  const { stride, from, count, width, to } = move;
  for (let block = 0; block * stride < source.length; block++) {
    const at = block * stride + from;
    const row = Math.floor(block / groups);
    target.set(source.subarray(at, at + count), row * width + to + (block % groups) * count);
  }
}

/**
 * Takes Qwen3-Next's interleaved projections apart, as `fix_query_key_value_ordering` of transformers does. Rows of
 * `in_proj_qkvz` [T, keyHeads·(2·keyDim + 2·served·valueDim)] hold per key head its query, its key, and the values and
 * then the gates z of the `served` = valueHeads / keyHeads value heads; rows of `in_proj_ba` [T, 2·valueHeads] hold per
 * key head the b and then the a of those heads.
 * @throws RangeError when the rows do not fit the shape
 */
export function splitQkvz(shape: DeltaNetShape, qkvz: Float32Array, ba: Float32Array): DeltaNetRows {
  const { keyHeads, valueHeads, keyDim } = shape;
  const served = valueHeads / keyHeads;
  const block = served * shape.valueDim;
  const stride = 2 * keyDim + 2 * block;
  const tokens = rowCount('qkvz', qkvz, keyHeads * stride);
  expectLength('ba', ba, tokens, 2 * valueHeads);
  const keys = keyHeads * keyDim;
  const values = keyHeads * block;
  const width = 2 * keys + values;
  const qkv = new Float32Array(tokens * width);
  const z = new Float32Array(tokens * values);
  const b = new Float32Array(tokens * valueHeads);
  const a = new Float32Array(tokens * valueHeads);
  moveBlocks(qkvz, keyHeads, qkv, { stride, from: 0, count: keyDim, width, to: 0 });
  moveBlocks(qkvz, keyHeads, qkv, { stride, from: keyDim, count: keyDim, width, to: keys });
  moveBlocks(qkvz, keyHeads, qkv, { stride, from: 2 * keyDim, count: block, width, to: 2 * keys });
  moveBlocks(qkvz, keyHeads, z, { stride, from: 2 * keyDim + block, count: block, width: values, to: 0 });
  moveBlocks(ba, keyHeads, b, { stride: 2 * served, from: 0, count: served, width: valueHeads, to: 0 });
  moveBlocks(ba, keyHeads, a, { stride: 2 * served, from: served, count: served, width: valueHeads, to: 0 });
  return { qkv, z, b, a };
}
