import type { Architecture } from './descriptor.ts';
import {
  attentionNames,
  BUFFERS,
  commonKeys,
  decoderNames,
  fusedProjections,
  LAYER,
  noMultipliers,
  numberedProjections,
} from './pieces/decoder-names.ts';
import { groupedQuery } from './pieces/grouped-query.ts';
import { softmaxRouter } from './pieces/routers.ts';
import { fixed } from './settings.ts';

/** Phi-3.5-MoE: LayerNorms with biases, biases on attention and head, LongRoPE, sparsemixer. */
export const phimoe: Architecture = {
  id: 'phimoe',
  label: 'Phi-3.5-MoE',
  modelTypes: ['phimoe'],
  className: 'PhimoeForCausalLM',
  section: null,
  config: {
    ...commonKeys,
    experts: ['num_local_experts', 'num_experts'],
    expertWidth: ['intermediate_size'],
  },
  norm: 'layer',
  tiedEmbeddings: { key: ['tie_word_embeddings'], fallback: false },
  multipliers: noMultipliers,
  mixers: [
    {
      layers: {},
      mixer: {
        ...groupedQuery,
        queryKeyValueBias: { key: ['attention_bias'], fallback: false },
        outputBias: { key: ['attention_bias'], fallback: false },
        window: { size: ['sliding_window'], enabled: true, layers: {} },
      },
    },
  ],
  moeLayers: {},
  denseLayers: null,
  layerOrder: 'sequential',
  router: {
    ...softmaxRouter,
    scoring: 'sparsemixer',
    renormalise: false,
    jitter: { key: ['router_jitter_noise'], fallback: 0.01 },
  },
  experts: {
    activation: 'silu',
    limit: fixed(0),
    perExpert: numberedProjections(`${LAYER}.{block_sparse_moe|mlp}.experts.{expert}`),
    fused: fusedProjections(`${LAYER}.mlp.experts`),
  },
  shared: null,
  dense: null,
  tensors: { ...decoderNames, ...attentionNames, router: `${LAYER}.{block_sparse_moe.gate|mlp.router}` },
  nextTokenLayers: null,
  ignored: BUFFERS,
  heldAgainst: 'transformers 5.18',
};
