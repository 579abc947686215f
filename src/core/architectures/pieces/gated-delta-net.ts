import type { GatedDeltaNet, GroupedQueryAttention } from '../mixers.ts';
import type { PartName } from '../tensor-parts.ts';
import { LAYER, partialRotary } from './decoder-names.ts';
import { groupedQuery, perHeadNorm } from './grouped-query.ts';

/** The linear attention of Qwen3-Next and its descendants; a row says how its projections lie. */
export const gatedDeltaNet: Omit<GatedDeltaNet, 'projections'> = {
  kind: 'gated-delta-net',
  keyHeads: ['linear_num_key_heads'],
  valueHeads: ['linear_num_value_heads'],
  keyDim: ['linear_key_head_dim'],
  valueDim: ['linear_value_head_dim'],
  kernel: ['linear_conv_kernel_dim'],
};

/** The full attention between: a gate beside each query head, a quarter of each head rotates. */
export const gatedAttention: GroupedQueryAttention = {
  ...groupedQuery,
  queryKeyValueBias: { key: ['attention_bias'], fallback: false },
  outputBias: { key: ['attention_bias'], fallback: false },
  queryKeyNorm: perHeadNorm,
  rotary: partialRotary(0.25),
  outputGate: true,
};

export const deltaNetNames: Partial<Record<PartName, string>> = {
  'delta-convolution': `${LAYER}.linear_attn.conv1d`,
  'delta-time-bias': `${LAYER}.linear_attn.dt_bias`,
  'delta-decay': `${LAYER}.linear_attn.A_log`,
  'delta-norm': `${LAYER}.linear_attn.norm`,
  'delta-output': `${LAYER}.linear_attn.out_proj`,
};
