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

const BLOCK = `${LAYER}.{block_sparse_moe|mlp}`;

/** Mixtral: softmax router, always renormalised; w1 is gate, w3 up, w2 down. */
export const mixtral: Architecture = {
  id: 'mixtral',
  label: 'Mixtral',
  modelTypes: ['mixtral'],
  className: 'MixtralForCausalLM',
  section: null,
  config: {
    ...commonKeys,
    experts: ['num_local_experts', 'num_experts'],
    expertWidth: ['intermediate_size'],
  },
  norm: 'rms',
  tiedEmbeddings: { key: ['tie_word_embeddings'], fallback: false },
  multipliers: noMultipliers,
  mixers: [{ layers: {}, mixer: { ...groupedQuery, window: { size: ['sliding_window'], enabled: true, layers: {} } } }],
  moeLayers: {},
  denseLayers: null,
  layerOrder: 'sequential',
  router: softmaxRouter,
  experts: {
    activation: 'silu',
    limit: fixed(0),
    perExpert: numberedProjections(`${BLOCK}.experts.{expert}`),
    fused: fusedProjections(`${LAYER}.mlp.experts`),
  },
  shared: null,
  dense: null,
  tensors: { ...decoderNames, ...attentionNames, router: `${BLOCK}.gate` },
  nextTokenLayers: null,
  ignored: BUFFERS,
  heldAgainst: 'transformers 5.17',
};
