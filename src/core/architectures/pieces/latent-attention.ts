import type { LatentAttention } from '../mixers.ts';
import { plainRotary } from './decoder-names.ts';

/** DeepSeek's latent attention as all its descendants spell it; the rotary part turns against its neighbour. */
export const latentAttention: LatentAttention = {
  kind: 'latent',
  heads: ['num_attention_heads'],
  queryRank: ['q_lora_rank'],
  keyValueRank: ['kv_lora_rank'],
  nopeDim: ['qk_nope_head_dim'],
  ropeDim: ['qk_rope_head_dim'],
  valueDim: ['v_head_dim'],
  bias: { key: ['attention_bias'], fallback: false },
  normEpsilon: 1e-6,
  rotary: { ...plainRotary(), style: 'interleaved' },
  interleave: null,
  rankScale: null,
};
