import type { Architecture } from './descriptor.ts';
import {
  BUFFERS,
  commonKeys,
  decoderNames,
  fusedProjections,
  LAYER,
  latentAttentionNames,
  namedProjections,
  noMultipliers,
} from './pieces/decoder-names.ts';
import { latentAttention } from './pieces/latent-attention.ts';
import { groupedSigmoidRouter } from './pieces/routers.ts';
import { fixed } from './settings.ts';

/** GLM-4.7-Flash: latent attention under GLM-4.5's router. */
export const glm4MoeLite: Architecture = {
  id: 'glm4_moe_lite',
  label: 'GLM-4.7-Flash',
  modelTypes: ['glm4_moe_lite'],
  className: 'Glm4MoeLiteForCausalLM',
  section: null,
  config: { ...commonKeys, experts: ['n_routed_experts', 'num_local_experts'] },
  norm: 'rms',
  tiedEmbeddings: { key: ['tie_word_embeddings'], fallback: false },
  multipliers: noMultipliers,
  mixers: [{ layers: {}, mixer: { ...latentAttention, interleave: { key: ['rope_interleave'], fallback: true } } }],
  moeLayers: { types: { key: ['mlp_layer_types'], values: ['sparse'] }, from: ['first_k_dense_replace'] },
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
    ...latentAttentionNames,
    router: `${LAYER}.mlp.gate`,
    'correction-bias': `${LAYER}.mlp.gate.e_score_correction_bias`,
  },
  nextTokenLayers: { count: ['num_nextn_predict_layers'], place: 'after-last' },
  ignored: BUFFERS,
  heldAgainst: 'transformers 5.18',
};
