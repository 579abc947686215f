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
import { groupedQuery, projectionNorm } from './pieces/grouped-query.ts';
import { softmaxRouter } from './pieces/routers.ts';
import { fixed } from './settings.ts';

/** OLMoE: query and key norm over the whole projection, optional clamp of q, k and v, gates as softmax gives them. */
export const olmoe: Architecture = {
  id: 'olmoe',
  label: 'OLMoE',
  modelTypes: ['olmoe'],
  className: 'OlmoeForCausalLM',
  section: null,
  config: {
    ...commonKeys,
    experts: ['num_experts', 'num_local_experts'],
    expertWidth: ['intermediate_size'],
  },
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
        queryKeyNorm: projectionNorm,
        clip: ['clip_qkv'],
      },
    },
  ],
  moeLayers: {},
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
  dense: null,
  tensors: { ...decoderNames, ...attentionNames, ...queryKeyNormNames, router: `${LAYER}.mlp.gate` },
  nextTokenLayers: null,
  ignored: BUFFERS,
  heldAgainst: 'transformers 5.17',
};
