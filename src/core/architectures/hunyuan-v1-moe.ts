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
} from './pieces/decoder-names.ts';
import { groupedQuery, perHeadNorm } from './pieces/grouped-query.ts';
import { softmaxRouter } from './pieces/routers.ts';
import { fixed } from './settings.ts';

/** Hunyuan-A13B: norms of query and key after the rotation, a shared expert, expert counts that may be lists. */
export const hunyuanV1Moe: Architecture = {
  id: 'hunyuan_v1_moe',
  label: 'Hunyuan-MoE',
  modelTypes: ['hunyuan_v1_moe'],
  className: 'HunYuanMoEV1ForCausalLM',
  section: null,
  config: {
    ...commonKeys,
    experts: ['num_experts', 'num_local_experts'],
    topK: ['moe_topk', 'num_experts_per_tok'],
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
        headDim: ['head_dim', 'attention_head_dim'],
        queryKeyValueBias: { key: ['attention_bias'], fallback: false },
        outputBias: { key: ['attention_bias'], fallback: false },
        queryKeyNorm: { ...perHeadNorm, place: 'after-rotation' },
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
    perExpert: namedProjections(`${LAYER}.mlp.experts.{expert}`),
    fused: fusedProjections(`${LAYER}.mlp.experts`),
  },
  shared: { names: namedProjections(`${LAYER}.mlp.shared_mlp`), width: { key: ['intermediate_size'] }, gated: false },
  dense: null,
  tensors: {
    ...decoderNames,
    ...attentionNames,
    'query-norm': `${LAYER}.self_attn.query_layernorm`,
    'key-norm': `${LAYER}.self_attn.key_layernorm`,
    router: `${LAYER}.mlp.gate.wg`,
  },
  nextTokenLayers: null,
  ignored: BUFFERS,
  heldAgainst: 'transformers 5.18',
};
