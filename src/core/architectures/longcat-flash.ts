import type { Architecture } from './descriptor.ts';
import {
  BUFFERS,
  commonKeys,
  decoderNames,
  LAYER,
  namedProjections,
  noMultipliers,
  plainRotary,
} from './pieces/decoder-names.ts';
import { latentAttention } from './pieces/latent-attention.ts';
import { softmaxRouter } from './pieces/routers.ts';
import { fixed } from './settings.ts';

/** LongCat-Flash: two latent attentions and two MLPs a layer, the experts beside them, and experts that return their input. */
export const longcatFlash: Architecture = {
  id: 'longcat_flash',
  label: 'LongCat-Flash',
  modelTypes: ['longcat_flash'],
  className: 'LongcatFlashForCausalLM',
  section: null,
  config: {
    ...commonKeys,
    layers: ['num_layers'],
    experts: ['n_routed_experts', 'num_local_experts'],
    topK: ['moe_topk', 'num_experts_per_tok'],
    expertWidth: ['expert_ffn_hidden_size', 'moe_intermediate_size'],
    denseWidth: ['ffn_hidden_size', 'intermediate_size'],
  },
  norm: 'rms',
  tiedEmbeddings: { key: ['tie_word_embeddings'], fallback: false },
  multipliers: noMultipliers,
  mixers: [
    {
      layers: {},
      mixer: {
        ...latentAttention,
        rotary: { ...plainRotary(10_000_000), style: 'interleaved' },
        rankScale: {
          query: { key: ['mla_scale_q_lora'], fallback: true },
          keyValue: { key: ['mla_scale_kv_lora'], fallback: true },
        },
      },
    },
  ],
  moeLayers: {},
  denseLayers: null,
  layerOrder: 'shortcut',
  router: {
    ...softmaxRouter,
    correctionBias: true,
    renormalise: false,
    scale: { key: ['routed_scaling_factor'], fallback: 1 },
    identityExperts: { key: ['zero_expert_num'], fallback: 0 },
  },
  experts: {
    activation: 'silu',
    limit: fixed(0),
    perExpert: namedProjections(`${LAYER}.mlp.experts.{expert}`),
    fused: null,
  },
  shared: null,
  dense: namedProjections(`${LAYER}.mlps.{step}`),
  tensors: {
    embedding: decoderNames.embedding,
    'final-norm': decoderNames['final-norm'],
    head: decoderNames.head,
    'input-norm': `${LAYER}.input_layernorm.{step}`,
    'post-attention-norm': `${LAYER}.post_attention_layernorm.{step}`,
    'query-down': `${LAYER}.self_attn.{step}.q_a_proj`,
    'query-down-norm': `${LAYER}.self_attn.{step}.q_a_layernorm`,
    'query-up': `${LAYER}.self_attn.{step}.q_b_proj`,
    'key-value-down': `${LAYER}.self_attn.{step}.kv_a_proj_with_mqa`,
    'key-value-down-norm': `${LAYER}.self_attn.{step}.kv_a_layernorm`,
    'key-value-up': `${LAYER}.self_attn.{step}.kv_b_proj`,
    output: `${LAYER}.self_attn.{step}.o_proj`,
    router: `${LAYER}.mlp.router.classifier`,
    'correction-bias': `${LAYER}.mlp.router.e_score_correction_bias`,
  },
  nextTokenLayers: null,
  ignored: [...BUFFERS, 'model.mtp.*'],
  heldAgainst: 'transformers 5.18',
};
