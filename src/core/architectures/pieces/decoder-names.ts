import type { ConfigKeys, FusedNames, Multipliers, ProjectionNames } from '../descriptor.ts';
import type { RotarySpec } from '../mixers.ts';
import { fixed } from '../settings.ts';
import type { PartName } from '../tensor-parts.ts';

type Parts = Partial<Record<PartName, string>>;

/** `model.layers.0.` and what wraps a language model inside a larger one. */
export const LAYER = '{model|model.language_model|language_model.model}.layers.{layer}';

/** Embedding, norms and head as nearly every decoder names them. */
export const decoderNames = {
  embedding: '{model|model.language_model|language_model.model}.embed_tokens',
  'final-norm': '{model|model.language_model|language_model.model}.norm',
  head: '{lm_head|language_model.lm_head}',
  'input-norm': `${LAYER}.input_layernorm`,
  'post-attention-norm': `${LAYER}.post_attention_layernorm`,
} as const satisfies Parts;

export const attentionNames: Parts = {
  query: `${LAYER}.self_attn.q_proj`,
  key: `${LAYER}.self_attn.k_proj`,
  value: `${LAYER}.self_attn.v_proj`,
  output: `${LAYER}.self_attn.o_proj`,
};

export const queryKeyNormNames: Parts = {
  'query-norm': `${LAYER}.self_attn.q_norm`,
  'key-norm': `${LAYER}.self_attn.k_norm`,
};

export const latentAttentionNames: Parts = {
  query: `${LAYER}.self_attn.q_proj`,
  'query-down': `${LAYER}.self_attn.q_a_proj`,
  'query-down-norm': `${LAYER}.self_attn.q_a_layernorm`,
  'query-up': `${LAYER}.self_attn.q_b_proj`,
  'key-value-down': `${LAYER}.self_attn.kv_a_proj_with_mqa`,
  'key-value-down-norm': `${LAYER}.self_attn.kv_a_layernorm`,
  'key-value-up': `${LAYER}.self_attn.kv_b_proj`,
  output: `${LAYER}.self_attn.o_proj`,
};

/** `<at>.gate_proj`, `.up_proj`, `.down_proj`. */
export function namedProjections(at: string): ProjectionNames {
  return { gate: `${at}.gate_proj`, up: `${at}.up_proj`, down: `${at}.down_proj` };
}

/** `<at>.gate_up_proj` [E, 2I, H], gate first, and `<at>.down_proj` [E, H, I], as transformers 5 keeps experts. */
export function fusedProjections(at: string): FusedNames {
  return { gateUp: `${at}.gate_up_proj`, down: `${at}.down_proj`, orientation: 'out-in', interleaved: false };
}

/** `<at>.w1` (gate), `.w3` (up), `.w2` (down). */
export function numberedProjections(at: string): ProjectionNames {
  return { gate: `${at}.w1`, up: `${at}.w3`, down: `${at}.w2` };
}

export const commonKeys = {
  layers: ['num_hidden_layers'],
  hiddenSize: ['hidden_size'],
  vocabularySize: ['vocab_size'],
  maxPositions: ['max_position_embeddings'],
  normEpsilon: ['rms_norm_eps'],
  topK: ['num_experts_per_tok'],
  expertWidth: ['moe_intermediate_size'],
  denseWidth: ['intermediate_size'],
} as const satisfies Partial<ConfigKeys>;

export const noMultipliers: Multipliers = { embedding: fixed(1), residual: fixed(1), logitsDivisor: fixed(1) };

/** What old savers and cache quantisers leave beside the weights; no forward pass in f32 reads it. */
export const BUFFERS = ['*.rotary_emb.inv_freq', '*.self_attn.k_scale', '*.self_attn.v_scale'] as const;

/** Whole heads, halves against each other. */
export function plainRotary(theta = 10_000): RotarySpec {
  return {
    theta: { key: ['rope_theta'], fallback: theta },
    part: { fraction: fixed(1), dimensions: null },
    style: 'halves',
    without: null,
  };
}

/** Only the front of each head, by `partial_rotary_factor`. */
export function partialRotary(fallback: number, theta = 10_000): RotarySpec {
  return { ...plainRotary(theta), part: { fraction: { key: ['partial_rotary_factor'], fallback }, dimensions: null } };
}
