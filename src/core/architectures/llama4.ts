import type { Architecture } from './descriptor.ts';
import {
  attentionNames,
  BUFFERS,
  commonKeys,
  decoderNames,
  LAYER,
  namedProjections,
  noMultipliers,
  plainRotary,
} from './pieces/decoder-names.ts';
import { groupedQuery, perHeadNorm } from './pieces/grouped-query.ts';
import { softmaxRouter } from './pieces/routers.ts';
import { fixed } from './settings.ts';

const WITHOUT = { key: ['no_rope_layers'], interval: { key: ['no_rope_layer_interval'], fallback: 4 } } as const;

/**
 * Llama-4, its text model: chunked attention with interleaved rotation and a weightless norm, every fourth layer without
 * positions, fused experts, and a sigmoid gate that multiplies the expert's input.
 */
export const llama4: Architecture = {
  id: 'llama4_text',
  label: 'Llama-4',
  modelTypes: ['llama4_text', 'llama4'],
  className: 'Llama4ForCausalLM',
  section: 'text_config',
  config: {
    ...commonKeys,
    experts: ['num_local_experts', 'num_experts'],
    expertWidth: ['intermediate_size'],
    denseWidth: ['intermediate_size_mlp'],
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
        queryKeyNorm: {
          ...perHeadNorm,
          place: 'after-rotation',
          unit: true,
          enabled: { key: ['use_qk_norm'], fallback: true },
          rotatedLayersOnly: true,
        },
        rotary: { ...plainRotary(500_000), style: 'interleaved', without: WITHOUT },
        chunk: ['attention_chunk_size'],
        temperature: {
          enabled: { key: ['attn_temperature_tuning'], fallback: true },
          scale: { key: ['attn_scale'], fallback: 0.1 },
          floor: { key: ['floor_scale'], fallback: 8192 },
        },
      },
    },
  ],
  moeLayers: { only: ['moe_layers'], every: { step: ['interleave_moe_layer_step'], offset: 1 } },
  denseLayers: null,
  layerOrder: 'sequential',
  router: { ...softmaxRouter, scoring: 'sigmoid', renormalise: false, gateOn: 'input' },
  experts: {
    activation: 'silu',
    limit: fixed(0),
    perExpert: null,
    fused: {
      gateUp: `${LAYER}.feed_forward.experts.gate_up_proj`,
      down: `${LAYER}.feed_forward.experts.down_proj`,
      orientation: 'in-out',
      interleaved: false,
    },
  },
  shared: {
    names: namedProjections(`${LAYER}.feed_forward.shared_expert`),
    width: { key: ['intermediate_size'] },
    gated: false,
  },
  dense: namedProjections(`${LAYER}.feed_forward`),
  tensors: { ...decoderNames, ...attentionNames, router: `${LAYER}.feed_forward.router` },
  nextTokenLayers: null,
  ignored: [...BUFFERS, 'vision_model.*', 'multi_modal_projector.*'],
  heldAgainst: 'transformers 5.17',
};
