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
import { groupedQuery, perHeadNorm } from './pieces/grouped-query.ts';
import { softmaxRouter } from './pieces/routers.ts';
import { fixed } from './settings.ts';

/** Qwen3-MoE: per-head query and key norm, softmax router, no shared expert. */
export const qwen3Moe: Architecture = {
  id: 'qwen3_moe',
  label: 'Qwen3-MoE',
  modelTypes: ['qwen3_moe'],
  className: 'Qwen3MoeForCausalLM',
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
        queryKeyValueBias: { key: ['attention_bias'], fallback: false },
        outputBias: { key: ['attention_bias'], fallback: false },
        queryKeyNorm: perHeadNorm,
        window: {
          size: ['sliding_window'],
          enabled: { key: ['use_sliding_window'], fallback: false },
          layers: {},
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
  shared: null,
  dense: namedProjections(`${LAYER}.mlp`),
  tensors: { ...decoderNames, ...attentionNames, ...queryKeyNormNames, router: `${LAYER}.mlp.gate` },
  nextTokenLayers: null,
  ignored: BUFFERS,
  heldAgainst: 'transformers 5.17',
};
