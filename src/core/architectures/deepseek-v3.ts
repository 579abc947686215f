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

/** DeepSeek-V3 and R1, Kimi-K2, Moonlight: latent attention, grouped sigmoid router with a correction bias. */
export const deepseekV3: Architecture = {
  id: 'deepseek_v3',
  label: 'DeepSeek-V3',
  modelTypes: ['deepseek_v3', 'kimi_k2'],
  className: 'DeepseekV3ForCausalLM',
  section: null,
  config: { ...commonKeys, experts: ['n_routed_experts', 'num_local_experts'] },
  norm: 'rms',
  tiedEmbeddings: { key: ['tie_word_embeddings'], fallback: false },
  multipliers: noMultipliers,
  mixers: [
    {
      layers: {},
      mixer: { ...latentAttention, interleave: { key: ['rope_interleave'], fallback: true } },
    },
  ],
  moeLayers: { from: ['first_k_dense_replace'], every: { step: ['moe_layer_freq'], offset: 0 } },
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
  heldAgainst: 'transformers 5.17',
};
