import type { Architecture } from './descriptor.ts';
import {
  BUFFERS,
  commonKeys,
  decoderNames,
  fusedProjections,
  LAYER,
  noMultipliers,
  numberedProjections,
} from './pieces/decoder-names.ts';
import { groupedQuery, perHeadNorm } from './pieces/grouped-query.ts';
import { softmaxRouter } from './pieces/routers.ts';
import { fixed } from './settings.ts';

/** LFM2-MoE: short convolutions between attention layers, sigmoid router with a bias on the block. */
export const lfm2Moe: Architecture = {
  id: 'lfm2_moe',
  label: 'LFM2-MoE',
  modelTypes: ['lfm2_moe'],
  className: 'Lfm2MoeForCausalLM',
  section: null,
  config: { ...commonKeys, experts: ['num_experts', 'num_local_experts'], normEpsilon: ['norm_eps'] },
  norm: 'rms',
  tiedEmbeddings: { key: ['tie_word_embeddings', 'tie_embedding'], fallback: true },
  multipliers: noMultipliers,
  mixers: [
    {
      layers: { types: { key: ['layer_types'], values: ['full_attention'] }, only: ['full_attn_idxs'] },
      mixer: { ...groupedQuery, queryKeyNorm: perHeadNorm },
    },
    {
      layers: {},
      mixer: {
        kind: 'short-convolution',
        kernel: ['conv_L_cache'],
        bias: { key: ['conv_bias'], fallback: false },
      },
    },
  ],
  moeLayers: { from: ['num_dense_layers'] },
  denseLayers: null,
  layerOrder: 'sequential',
  router: {
    ...softmaxRouter,
    scoring: 'sigmoid',
    correctionBias: { key: ['use_expert_bias'], fallback: true },
    renormalise: { key: ['norm_topk_prob'], fallback: true },
    sumEpsilon: 1e-6,
    scale: { key: ['routed_scaling_factor'], fallback: 1 },
  },
  experts: {
    activation: 'silu',
    limit: fixed(0),
    perExpert: numberedProjections(`${LAYER}.feed_forward.experts.{expert}`),
    fused: fusedProjections(`${LAYER}.feed_forward.experts`),
  },
  shared: null,
  dense: numberedProjections(`${LAYER}.feed_forward`),
  tensors: {
    embedding: decoderNames.embedding,
    head: decoderNames.head,
    'final-norm': 'model.embedding_norm',
    'input-norm': `${LAYER}.operator_norm`,
    'post-attention-norm': `${LAYER}.ffn_norm`,
    query: `${LAYER}.self_attn.q_proj`,
    key: `${LAYER}.self_attn.k_proj`,
    value: `${LAYER}.self_attn.v_proj`,
    output: `${LAYER}.self_attn.out_proj`,
    'query-norm': `${LAYER}.self_attn.q_layernorm`,
    'key-norm': `${LAYER}.self_attn.k_layernorm`,
    'convolution-in': `${LAYER}.conv.in_proj`,
    convolution: `${LAYER}.conv.conv`,
    'convolution-out': `${LAYER}.conv.out_proj`,
    router: `${LAYER}.feed_forward.gate`,
    'correction-bias': `${LAYER}.feed_forward.expert_bias`,
  },
  nextTokenLayers: null,
  ignored: BUFFERS,
  heldAgainst: 'transformers 5.18',
};
