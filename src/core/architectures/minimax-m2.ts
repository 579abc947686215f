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
  plainRotary,
  queryKeyNormNames,
} from './pieces/decoder-names.ts';
import { groupedQuery, projectionNorm } from './pieces/grouped-query.ts';
import { softmaxRouter } from './pieces/routers.ts';
import { fixed } from './settings.ts';

const BLOCK = `${LAYER}.{block_sparse_moe|mlp}`;

/**
 * MiniMax-M2 and M2.5: query and key norm over the whole projection, half of each head rotates, sigmoid router whose
 * correction bias lies on the block and not on the router.
 */
export const minimaxM2: Architecture = {
  id: 'minimax_m2',
  label: 'MiniMax-M2',
  modelTypes: ['minimax_m2'],
  className: 'MiniMaxM2ForCausalLM',
  section: null,
  config: {
    ...commonKeys,
    experts: ['num_local_experts', 'num_experts'],
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
        queryKeyNorm: { ...projectionNorm, enabled: { key: ['use_qk_norm'], fallback: true } },
        rotary: {
          ...plainRotary(5_000_000),
          part: { fraction: { key: ['partial_rotary_factor'], fallback: 1 }, dimensions: ['rotary_dim'] },
        },
      },
    },
  ],
  moeLayers: {},
  denseLayers: null,
  layerOrder: 'sequential',
  router: {
    ...softmaxRouter,
    scoring: 'sigmoid',
    correctionBias: { key: ['use_routing_bias'], fallback: true },
  },
  experts: {
    activation: 'silu',
    limit: fixed(0),
    perExpert: numberedProjections(`${BLOCK}.experts.{expert}`),
    fused: fusedProjections(`${LAYER}.mlp.experts`),
  },
  shared: null,
  dense: null,
  tensors: {
    ...decoderNames,
    ...attentionNames,
    ...queryKeyNormNames,
    router: `${BLOCK}.gate`,
    'correction-bias': `${BLOCK}.e_score_correction_bias`,
  },
  nextTokenLayers: { count: ['num_mtp_modules'], place: 'after-last' },
  ignored: BUFFERS,
  heldAgainst: 'transformers 5.17',
};
