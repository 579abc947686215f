import type { PartName } from '../architectures/tensor-parts.ts';
import type { GroupedQueryMixer, LatentMixer, Mixer } from './mixer-config.ts';

/** A part with the shape of its weight or bias. */
export interface PartShape {
  readonly part: PartName;
  readonly shape: readonly number[];
  readonly bias?: boolean;
}

function* withBias(part: PartShape['part'], rows: number, columns: number, bias: boolean): Generator<PartShape> {
  yield { part, shape: [rows, columns] };
  if (bias) yield { part, shape: [rows], bias: true };
}

function* groupedQuery(mixer: GroupedQueryMixer, hidden: number): Generator<PartShape> {
  const { heads, keyValueHeads, headDim, queryKeyNorm: norm } = mixer;
  const queryWidth = heads * headDim;
  const keyWidth = keyValueHeads * headDim;
  yield* withBias('query', mixer.outputGate ? 2 * queryWidth : queryWidth, hidden, mixer.queryKeyValueBias);
  yield* withBias('key', keyWidth, hidden, mixer.queryKeyValueBias);
  yield* withBias('value', keyWidth, hidden, mixer.queryKeyValueBias);
  yield* withBias('output', hidden, queryWidth, mixer.outputBias);
  if (norm !== undefined && !norm.unit) {
    yield { part: 'query-norm', shape: [norm.over === 'head' ? headDim : queryWidth] };
    yield { part: 'key-norm', shape: [norm.over === 'head' ? headDim : keyWidth] };
  }
  if (mixer.sinks) yield { part: 'sinks', shape: [heads] };
}

function* latent(mixer: LatentMixer, hidden: number): Generator<PartShape> {
  const { heads, queryRank, keyValueRank, nopeDim, ropeDim, valueDim, bias } = mixer;
  const queryWidth = heads * (nopeDim + ropeDim);
  if (queryRank === undefined) yield { part: 'query', shape: [queryWidth, hidden] };
  else {
    yield* withBias('query-down', queryRank, hidden, bias);
    yield { part: 'query-down-norm', shape: [queryRank] };
    yield { part: 'query-up', shape: [queryWidth, queryRank] };
  }
  yield* withBias('key-value-down', keyValueRank + ropeDim, hidden, bias);
  yield { part: 'key-value-down-norm', shape: [keyValueRank] };
  yield { part: 'key-value-up', shape: [heads * (nopeDim + valueDim), keyValueRank] };
  yield* withBias('output', hidden, heads * valueDim, bias);
}

/** The tensors of a layer's mixer with their shapes, biases after their weights. */
export function* expectedMixer(mixer: Mixer, hidden: number): Generator<PartShape> {
  switch (mixer.kind) {
    case 'grouped-query':
      yield* groupedQuery(mixer, hidden);
      return;
    case 'latent':
      yield* latent(mixer, hidden);
      return;
    case 'gated-delta-net': {
      const { keyHeads, valueHeads, keyDim, valueDim, kernel } = mixer;
      const keys = keyHeads * keyDim;
      const values = valueHeads * valueDim;
      if (mixer.projections === 'joint') {
        yield { part: 'delta-qkvz', shape: [2 * keys + 2 * values, hidden] };
        yield { part: 'delta-ba', shape: [2 * valueHeads, hidden] };
      } else {
        yield { part: 'delta-qkv', shape: [2 * keys + values, hidden] };
        yield { part: 'delta-z', shape: [values, hidden] };
        yield { part: 'delta-b', shape: [valueHeads, hidden] };
        yield { part: 'delta-a', shape: [valueHeads, hidden] };
      }
      yield { part: 'delta-convolution', shape: [2 * keys + values, 1, kernel] };
      yield { part: 'delta-time-bias', shape: [valueHeads] };
      yield { part: 'delta-decay', shape: [valueHeads] };
      yield { part: 'delta-norm', shape: [valueDim] };
      yield { part: 'delta-output', shape: [hidden, values] };
      return;
    }
    case 'short-convolution': {
      yield* withBias('convolution-in', 3 * hidden, hidden, mixer.bias);
      yield { part: 'convolution', shape: [hidden, 1, mixer.kernel] };
      if (mixer.bias) yield { part: 'convolution', shape: [hidden], bias: true };
      yield* withBias('convolution-out', hidden, hidden, mixer.bias);
      return;
    }
    case 'selective-scan': {
      const { heads, headDim, groups, state, kernel } = mixer;
      const inner = heads * headDim;
      const mixed = inner + 2 * groups * state;
      yield* withBias('scan-in', inner + mixed + heads, hidden, mixer.projectionBias);
      yield { part: 'scan-convolution', shape: [mixed, 1, kernel] };
      if (mixer.convolutionBias) yield { part: 'scan-convolution', shape: [mixed], bias: true };
      yield { part: 'scan-time-bias', shape: [heads] };
      yield { part: 'scan-decay', shape: [heads] };
      yield { part: 'scan-skip', shape: [heads] };
      yield { part: 'scan-norm', shape: [inner] };
      yield* withBias('scan-out', hidden, inner, mixer.projectionBias);
    }
  }
}
