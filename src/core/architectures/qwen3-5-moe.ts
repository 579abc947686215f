import type { Architecture } from './descriptor.ts';
import {
  attentionNames,
  BUFFERS,
  commonKeys,
  decoderNames,
  fusedProjections,
  LAYER,
  namedProjections,
  noMultipliers,
  queryKeyNormNames,
} from './pieces/decoder-names.ts';
import { deltaNetNames, gatedAttention, gatedDeltaNet } from './pieces/gated-delta-net.ts';
import { softmaxRouter } from './pieces/routers.ts';
import { fixed } from './settings.ts';

/** Qwen3.5-MoE and 3.6, their language model: Qwen3-Next with separate projections, fused experts, and a vision tower beside it. */
export const qwen35Moe: Architecture = {
  id: 'qwen3_5_moe',
  label: 'Qwen3.5-MoE',
  modelTypes: ['qwen3_5_moe', 'qwen3_5_moe_text'],
  className: 'Qwen3_5MoeForConditionalGeneration',
  section: 'text_config',
  config: { ...commonKeys, experts: ['num_experts', 'num_local_experts'] },
  norm: 'rms-plus-one',
  tiedEmbeddings: { key: ['tie_word_embeddings'], fallback: false },
  multipliers: noMultipliers,
  mixers: [
    {
      layers: {
        types: { key: ['layer_types'], values: ['full_attention'] },
        every: { step: ['full_attention_interval'], offset: 1, fallback: 4 },
      },
      mixer: gatedAttention,
    },
    { layers: {}, mixer: { ...gatedDeltaNet, projections: 'separate' } },
  ],
  moeLayers: {},
  denseLayers: null,
  layerOrder: 'sequential',
  router: softmaxRouter,
  experts: {
    activation: 'silu',
    limit: fixed(0),
    perExpert: namedProjections(`${LAYER}.mlp.experts.{expert}`),
    fused: fusedProjections(`${LAYER}.mlp.experts`),
  },
  shared: {
    names: namedProjections(`${LAYER}.mlp.shared_expert`),
    width: { key: ['shared_expert_intermediate_size'] },
    gated: true,
  },
  dense: null,
  tensors: {
    ...decoderNames,
    ...attentionNames,
    ...queryKeyNormNames,
    ...deltaNetNames,
    'delta-qkv': `${LAYER}.linear_attn.in_proj_qkv`,
    'delta-z': `${LAYER}.linear_attn.in_proj_z`,
    'delta-b': `${LAYER}.linear_attn.in_proj_b`,
    'delta-a': `${LAYER}.linear_attn.in_proj_a`,
    router: `${LAYER}.mlp.gate`,
    'shared-expert-gate': `${LAYER}.mlp.shared_expert_gate`,
  },
  nextTokenLayers: { count: ['mtp_num_hidden_layers'], place: { prefix: 'mtp.' } },
  ignored: [...BUFFERS, 'model.visual.*'],
  heldAgainst: 'transformers 5.18',
};
