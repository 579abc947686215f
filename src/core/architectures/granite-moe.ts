import type { Architecture } from './descriptor.ts';
import { attentionNames, BUFFERS, commonKeys, decoderNames, LAYER } from './pieces/decoder-names.ts';
import { groupedQuery } from './pieces/grouped-query.ts';
import { softmaxRouter } from './pieces/routers.ts';
import { fixed } from './settings.ts';

/** Granite-MoE: four multipliers, fused experts under names of their own, softmax over the chosen logits. */
export const graniteMoe: Architecture = {
  id: 'granitemoe',
  label: 'Granite-MoE',
  modelTypes: ['granitemoe'],
  className: 'GraniteMoeForCausalLM',
  section: null,
  config: {
    ...commonKeys,
    experts: ['num_local_experts', 'num_experts'],
    expertWidth: ['intermediate_size'],
  },
  norm: 'rms',
  tiedEmbeddings: { key: ['tie_word_embeddings'], fallback: false },
  multipliers: {
    embedding: { key: ['embedding_multiplier'], fallback: 1 },
    residual: { key: ['residual_multiplier'], fallback: 1 },
    logitsDivisor: { key: ['logits_scaling'], fallback: 1 },
  },
  mixers: [
    {
      layers: {},
      mixer: {
        ...groupedQuery,
        queryKeyValueBias: { key: ['attention_bias'], fallback: false },
        outputBias: { key: ['attention_bias'], fallback: false },
        scale: ['attention_multiplier'],
      },
    },
  ],
  moeLayers: {},
  denseLayers: null,
  layerOrder: 'sequential',
  router: softmaxRouter,
  experts: {
    activation: 'silu',
    limit: fixed(0),
    perExpert: null,
    fused: {
      gateUp: `${LAYER}.block_sparse_moe.input_linear`,
      down: `${LAYER}.block_sparse_moe.output_linear`,
      orientation: 'out-in',
      interleaved: false,
    },
  },
  shared: null,
  dense: null,
  tensors: { ...decoderNames, ...attentionNames, router: `${LAYER}.block_sparse_moe.router.layer` },
  nextTokenLayers: null,
  ignored: BUFFERS,
  heldAgainst: 'transformers 5.18',
};
