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
import { softmaxRouter } from './pieces/routers.ts';
import { fixed } from './settings.ts';

/** DeepSeek-V2 and V2-Lite: latent attention, softmax router, by groups in the large one; gates scaled, never renormalised. */
export const deepseekV2: Architecture = {
  id: 'deepseek_v2',
  label: 'DeepSeek-V2',
  modelTypes: ['deepseek_v2'],
  className: 'DeepseekV2ForCausalLM',
  section: null,
  config: { ...commonKeys, experts: ['n_routed_experts', 'num_local_experts'] },
  norm: 'rms',
  tiedEmbeddings: { key: ['tie_word_embeddings'], fallback: false },
  multipliers: noMultipliers,
  mixers: [{ layers: {}, mixer: latentAttention }],
  moeLayers: { from: ['first_k_dense_replace'], every: { step: ['moe_layer_freq'], offset: 0 } },
  denseLayers: null,
  layerOrder: 'sequential',
  router: {
    ...softmaxRouter,
    groups: {
      count: { key: ['n_group'], fallback: 1 },
      chosen: { key: ['topk_group'], fallback: 1 },
      score: 'maximum',
      when: { key: ['topk_method'], equals: 'group_limited_greedy' },
    },
    renormalise: false,
    scale: { key: ['routed_scaling_factor'], fallback: 1 },
  },
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
  tensors: { ...decoderNames, ...latentAttentionNames, router: `${LAYER}.mlp.gate` },
  nextTokenLayers: null,
  ignored: BUFFERS,
  heldAgainst: 'transformers 5.17',
};
