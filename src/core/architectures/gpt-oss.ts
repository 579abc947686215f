import type { Architecture } from './descriptor.ts';
import {
  attentionNames,
  BUFFERS,
  commonKeys,
  decoderNames,
  LAYER,
  noMultipliers,
  plainRotary,
} from './pieces/decoder-names.ts';
import { groupedQuery } from './pieces/grouped-query.ts';
import { softmaxRouter } from './pieces/routers.ts';

/**
 * gpt-oss: sinks in every softmax, every other layer sees a window, biases everywhere, fused experts whose gate and up
 * columns take turns, a clamped activation; softmax over the chosen logits, which is the renormalised softmax over all.
 */
export const gptOss: Architecture = {
  id: 'gpt_oss',
  label: 'gpt-oss',
  modelTypes: ['gpt_oss'],
  className: 'GptOssForCausalLM',
  section: null,
  config: {
    ...commonKeys,
    experts: ['num_local_experts', 'num_experts'],
    topK: ['num_experts_per_tok', 'experts_per_token'],
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
        queryKeyValueBias: { key: ['attention_bias'], fallback: true },
        outputBias: { key: ['attention_bias'], fallback: true },
        rotary: plainRotary(150_000),
        window: {
          size: ['sliding_window'],
          enabled: true,
          layers: {
            types: { key: ['layer_types'], values: ['sliding_attention'] },
            every: { step: ['sliding_window_pattern'], offset: 0, fallback: 2 },
          },
        },
        sinks: true,
      },
    },
  ],
  moeLayers: {},
  denseLayers: null,
  layerOrder: 'sequential',
  router: softmaxRouter,
  experts: {
    activation: 'clamped-swiglu',
    limit: { key: ['swiglu_limit'], fallback: 7 },
    perExpert: null,
    fused: {
      gateUp: `${LAYER}.mlp.experts.gate_up_proj`,
      down: `${LAYER}.mlp.experts.down_proj`,
      orientation: 'in-out',
      interleaved: true,
    },
  },
  shared: null,
  dense: null,
  tensors: {
    ...decoderNames,
    ...attentionNames,
    sinks: `${LAYER}.self_attn.sinks`,
    router: `${LAYER}.mlp.router`,
  },
  nextTokenLayers: null,
  ignored: BUFFERS,
  heldAgainst: 'transformers 5.17',
};
