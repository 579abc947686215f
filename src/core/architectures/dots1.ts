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
import { groupedSigmoidRouter } from './pieces/routers.ts';
import { fixed } from './settings.ts';

/** dots.llm1: per-head norms, windows in some layers, DeepSeek-V3's router. */
export const dots1: Architecture = {
  id: 'dots1',
  label: 'dots.llm1',
  modelTypes: ['dots1'],
  className: 'Dots1ForCausalLM',
  section: null,
  config: { ...commonKeys, experts: ['n_routed_experts', 'num_local_experts'] },
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
          enabled: true,
          layers: { types: { key: ['layer_types'], values: ['sliding_attention'] }, from: ['max_window_layers'] },
        },
      },
    },
  ],
  moeLayers: { from: ['first_k_dense_replace'] },
  denseLayers: null,
  layerOrder: 'sequential',
  router: { ...groupedSigmoidRouter, renormalise: { key: ['norm_topk_prob'], fallback: false } },
  experts: {
    activation: 'silu',
    limit: fixed(0),
    perExpert: namedProjections(`${LAYER}.mlp.experts.{expert}`),
    fused: fusedProjections(`${LAYER}.mlp.experts`),
  },
  shared: {
    names: namedProjections(`${LAYER}.mlp.shared_experts`),
    width: { count: ['n_shared_experts'] },
    gated: false,
  },
  dense: namedProjections(`${LAYER}.mlp`),
  tensors: {
    ...decoderNames,
    ...attentionNames,
    ...queryKeyNormNames,
    router: `${LAYER}.mlp.gate`,
    'correction-bias': `${LAYER}.mlp.gate.e_score_correction_bias`,
  },
  nextTokenLayers: null,
  ignored: BUFFERS,
  heldAgainst: 'transformers 5.18',
};
