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
  partialRotary,
  queryKeyNormNames,
} from './pieces/decoder-names.ts';
import { groupedQuery, perHeadNorm } from './pieces/grouped-query.ts';
import { groupedSigmoidRouter } from './pieces/routers.ts';
import { fixed } from './settings.ts';

/** GLM-4.5, 4.6 and Air: half of each head rotates, per-head norm in the large ones, DeepSeek-V3's router. */
export const glm4Moe: Architecture = {
  id: 'glm4_moe',
  label: 'GLM-4.5',
  modelTypes: ['glm4_moe'],
  className: 'Glm4MoeForCausalLM',
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
        queryKeyNorm: { ...perHeadNorm, enabled: { key: ['use_qk_norm'], fallback: false } },
        rotary: partialRotary(0.5),
      },
    },
  ],
  moeLayers: { from: ['first_k_dense_replace'] },
  denseLayers: null,
  layerOrder: 'sequential',
  router: groupedSigmoidRouter,
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
  nextTokenLayers: { count: ['num_nextn_predict_layers'], place: 'after-last' },
  ignored: BUFFERS,
  heldAgainst: 'transformers 5.17',
};
