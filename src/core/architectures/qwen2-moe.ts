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
} from './pieces/decoder-names.ts';
import { groupedQuery } from './pieces/grouped-query.ts';
import { softmaxRouter } from './pieces/routers.ts';
import { fixed } from './settings.ts';

/** Qwen1.5-MoE and Qwen2-MoE: biases on q, k and v, and a shared expert behind a sigmoid gate. */
export const qwen2Moe: Architecture = {
  id: 'qwen2_moe',
  label: 'Qwen2-MoE',
  modelTypes: ['qwen2_moe'],
  className: 'Qwen2MoeForCausalLM',
  section: null,
  config: { ...commonKeys, experts: ['num_experts', 'num_local_experts'] },
  norm: 'rms',
  tiedEmbeddings: { key: ['tie_word_embeddings'], fallback: false },
  multipliers: noMultipliers,
  mixers: [
    {
      layers: {},
      mixer: {
        ...groupedQuery,
        queryKeyValueBias: { key: ['qkv_bias'], fallback: true },
        window: {
          size: ['sliding_window'],
          enabled: { key: ['use_sliding_window'], fallback: false },
          layers: { from: ['max_window_layers'], types: { key: ['layer_types'], values: ['sliding_attention'] } },
        },
      },
    },
  ],
  moeLayers: { every: { step: ['decoder_sparse_step'], offset: 1 }, except: ['mlp_only_layers'] },
  denseLayers: null,
  layerOrder: 'sequential',
  router: { ...softmaxRouter, renormalise: { key: ['norm_topk_prob'], fallback: false } },
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
  dense: namedProjections(`${LAYER}.mlp`),
  tensors: {
    ...decoderNames,
    ...attentionNames,
    router: `${LAYER}.mlp.gate`,
    'shared-expert-gate': `${LAYER}.mlp.shared_expert_gate`,
  },
  nextTokenLayers: null,
  ignored: BUFFERS,
  heldAgainst: 'transformers 5.17',
};
