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
  plainRotary,
} from './pieces/decoder-names.ts';
import { groupedQuery } from './pieces/grouped-query.ts';
import { softmaxRouter } from './pieces/routers.ts';
import { fixed } from './settings.ts';

/** ERNIE-4.5: interleaved rotation, softmax router whose bias [1, E] counts for the choice alone, ungated shared experts. */
export const ernie45Moe: Architecture = {
  id: 'ernie4_5_moe',
  label: 'ERNIE-4.5-MoE',
  modelTypes: ['ernie4_5_moe'],
  className: 'Ernie4_5_MoeForCausalLM',
  section: null,
  config: {
    ...commonKeys,
    experts: ['moe_num_experts', 'num_local_experts'],
    topK: ['moe_k', 'num_experts_per_tok'],
  },
  norm: 'rms',
  tiedEmbeddings: { key: ['tie_word_embeddings'], fallback: true },
  multipliers: noMultipliers,
  mixers: [
    {
      layers: {},
      mixer: {
        ...groupedQuery,
        queryKeyValueBias: { key: ['use_bias'], fallback: false },
        outputBias: { key: ['use_bias'], fallback: false },
        rotary: { ...plainRotary(500_000), style: 'interleaved' },
      },
    },
  ],
  moeLayers: {
    from: ['moe_layer_start_index'],
    to: ['moe_layer_end_index'],
    every: { step: ['moe_layer_interval'], offset: 1 },
  },
  denseLayers: null,
  layerOrder: 'sequential',
  router: {
    ...softmaxRouter,
    correctionBias: { key: ['moe_use_aux_free'], fallback: true },
    sumFloor: { key: ['moe_norm_min'], fallback: 1e-12 },
  },
  experts: {
    activation: 'silu',
    limit: fixed(0),
    perExpert: namedProjections(`${LAYER}.mlp.experts.{expert}`),
    fused: fusedProjections(`${LAYER}.mlp.experts`),
  },
  shared: {
    names: namedProjections(`${LAYER}.mlp.shared_experts`),
    width: { count: ['moe_num_shared_experts'] },
    gated: false,
  },
  dense: namedProjections(`${LAYER}.mlp`),
  tensors: {
    ...decoderNames,
    ...attentionNames,
    router: `${LAYER}.mlp.gate`,
    'correction-bias': `${LAYER}.mlp.moe_statics.e_score_correction_bias`,
  },
  // A dense block of its own names; transformers leaves it out as well.
  nextTokenLayers: { count: ['num_nextn_predict_layers'], place: { prefix: 'model.mtp_' } },
  ignored: BUFFERS,
  heldAgainst: 'transformers 5.17',
};
