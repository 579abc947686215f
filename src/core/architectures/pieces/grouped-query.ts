import type { GroupedQueryAttention } from '../mixers.ts';
import { plainRotary } from './decoder-names.ts';

/** Grouped-query attention as most families have it; a row overrides what differs. */
export const groupedQuery: GroupedQueryAttention = {
  kind: 'grouped-query',
  heads: ['num_attention_heads'],
  keyValueHeads: ['num_key_value_heads'],
  headDim: ['head_dim'],
  queryKeyValueBias: false,
  outputBias: false,
  queryKeyNorm: null,
  rotary: plainRotary(),
  scale: null,
  clip: null,
  window: null,
  chunk: null,
  sinks: false,
  outputGate: false,
  temperature: null,
};

/** RMS norm of each query and key head before the rotation. */
export const perHeadNorm = {
  over: 'head',
  place: 'before-rotation',
  unit: false,
  enabled: true,
  rotatedLayersOnly: false,
} as const;

/** RMS norm of the whole query and key projections before the rotation. */
export const projectionNorm = { ...perHeadNorm, over: 'projection' } as const;
