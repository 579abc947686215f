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

/** Qwen3-Next: gated DeltaNet with every fourth layer full attention, zero-centred norms, a gated shared expert. */
export const qwen3Next: Architecture = {
  id: 'qwen3_next',
  label: 'Qwen3-Next',
  modelTypes: ['qwen3_next'],
  className: 'Qwen3NextForCausalLM',
  section: null,
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
    { layers: {}, mixer: { ...gatedDeltaNet, projections: 'joint' } },
  ],
  moeLayers: { every: { step: ['decoder_sparse_step'], offset: 1 }, except: ['mlp_only_layers'] },
  denseLayers: null,
  layerOrder: 'sequential',
  router: { ...softmaxRouter, renormalise: { key: ['norm_topk_prob'], fallback: true } },
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
    ...queryKeyNormNames,
    ...deltaNetNames,
    'delta-qkvz': `${LAYER}.linear_attn.in_proj_qkvz`,
    'delta-ba': `${LAYER}.linear_attn.in_proj_ba`,
    router: `${LAYER}.mlp.gate`,
    'shared-expert-gate': `${LAYER}.mlp.shared_expert_gate`,
  },
  nextTokenLayers: { count: ['mtp_num_hidden_layers', 'num_nextn_predict_layers'], place: { prefix: 'mtp.' } },
  ignored: BUFFERS,
  heldAgainst: 'transformers 5.18',
};
