import { sigmoid, softplus } from './activations.ts';
import { causalConvolution } from './causal-convolution.ts';
import { columns } from './columns.ts';
import { deltaRule } from './delta-rule.ts';
import { gatedNorm } from './gated-norm.ts';
import { expectLength, rowCount } from './row-counts.ts';

export interface DeltaNetShape {
  readonly keyHeads: number;
  /** A multiple of `keyHeads`. */
  readonly valueHeads: number;
  readonly keyDim: number;
  readonly valueDim: number;
}

/** A layer's parameters between its projections; channels are queries, keys and values: 2·keyHeads·keyDim + values. */
export interface DeltaNetParameters {
  /** `conv1d.weight` [channels, k] */
  readonly convolution: Float32Array;
  /** `A_log` [valueHeads] */
  readonly decay: Float32Array;
  /** `dt_bias` [valueHeads] */
  readonly timeBias: Float32Array;
  /** `norm.weight` [valueDim] */
  readonly norm: Float32Array;
  readonly epsilon: number;
}

/** One sequence's projected rows. Qwen3.5 projects them so; Qwen3-Next's two interleaved projections are split first. */
export interface DeltaNetRows {
  /** [T, channels] */
  readonly qkv: Float32Array;
  /** [T, valueHeads·valueDim] */
  readonly z: Float32Array;
  /** [T, valueHeads] before the sigmoid. */
  readonly b: Float32Array;
  /** [T, valueHeads] before bias and softplus. */
  readonly a: Float32Array;
}

/**
 * One sequence of a Gated DeltaNet layer (`Qwen3NextGatedDeltaNet`, `Qwen3_5MoeGatedDeltaNet`) between its projections:
 * convolution with silu, delta rule with β = σ(b) and log-decay −e^A_log·softplus(a + dt_bias), norm gated by z.
 * @returns the rows of the output projection, [T, valueHeads·valueDim]
 * @throws RangeError when an array's length does not fit the shape
 */
export function gatedDeltaNet(
  { keyHeads, valueHeads, keyDim, valueDim }: DeltaNetShape,
  { convolution, decay, timeBias, norm, epsilon }: DeltaNetParameters,
  { qkv, z, b, a }: DeltaNetRows,
): Float32Array<ArrayBuffer> {
  const keys = keyHeads * keyDim;
  const values = valueHeads * valueDim;
  const channels = 2 * keys + values;
  const tokens = rowCount('qkv', qkv, channels);
  rowCount('convolution', convolution, channels);
  expectLength('z', z, tokens, values);
  expectLength('b', b, tokens, valueHeads);
  expectLength('a', a, tokens, valueHeads);
  expectLength('decay', decay, valueHeads);
  expectLength('timeBias', timeBias, valueHeads);
  expectLength('norm', norm, valueDim);
  const convolved = causalConvolution({
    input: qkv,
    tokens,
    channels,
    weight: convolution,
    bias: undefined,
    activation: 'silu',
  });
  const rates = decay.map((log) => -Math.exp(log));
  const mixed = deltaRule({
    tokens,
    keyHeads,
    valueHeads,
    keyDim,
    valueDim,
    query: columns(convolved, channels, 0, keys),
    key: columns(convolved, channels, keys, keys),
    value: columns(convolved, channels, 2 * keys, values),
    logDecay: a.map((logit, i) => (rates[i % valueHeads] ?? 0) * softplus(logit + (timeBias[i % valueHeads] ?? 0))),
    beta: b.map(sigmoid),
  });
  return gatedNorm({
    rows: mixed,
    gate: z,
    group: valueDim,
    weight: norm,
    width: values,
    epsilon,
    order: 'norm-then-gate',
  });
}
