import { causalConvolution } from './causal-convolution.ts';
import { columns } from './columns.ts';
import { gatedNorm } from './gated-norm.ts';
import { expectLength, rowCount } from './row-counts.ts';
import { selectiveScan } from './selective-scan.ts';

export interface Mamba2Shape {
  /** A multiple of `groups`. */
  readonly heads: number;
  readonly headDim: number;
  readonly groups: number;
  readonly state: number;
  /** Least time step after softplus. */
  readonly leastStep: number;
}

/** A layer's parameters between its projections; inner = heads·headDim, channels = inner + 2·groups·state. */
export interface Mamba2Parameters {
  /** `conv1d.weight` [channels, k] */
  readonly convolution: Float32Array;
  /** `conv1d.bias` [channels] */
  readonly convolutionBias: Float32Array | undefined;
  /** `dt_bias` [heads] */
  readonly timeBias: Float32Array;
  /** `A_log` [heads] */
  readonly decay: Float32Array;
  /** `D` [heads] */
  readonly skip: Float32Array;
  /** `norm.weight` [inner] */
  readonly norm: Float32Array;
  readonly epsilon: number;
}

/**
 * One sequence of a Mamba-2 layer (`NemotronHMamba2Mixer`) between its projections. A row of `in_proj` is
 * [z: inner | x, B, C: channels | dt: heads]; x, B and C go through the convolution with silu, then the scan; the result
 * times silu(z) is normed in groups of inner / groups columns.
 * @param joint [T, inner + channels + heads]
 * @returns the rows of the output projection, [T, inner]
 * @throws RangeError when an array's length does not fit the shape
 */
export function mamba2Mixer(
  { heads, headDim, groups, state, leastStep }: Mamba2Shape,
  { convolution, convolutionBias, timeBias, decay, skip, norm, epsilon }: Mamba2Parameters,
  joint: Float32Array,
): Float32Array<ArrayBuffer> {
  const inner = heads * headDim;
  const channels = inner + 2 * groups * state;
  const width = inner + channels + heads;
  const tokens = rowCount('in_proj rows', joint, width);
  rowCount('convolution', convolution, channels);
  if (convolutionBias !== undefined) expectLength('convolutionBias', convolutionBias, channels);
  expectLength('timeBias', timeBias, heads);
  expectLength('decay', decay, heads);
  expectLength('skip', skip, heads);
  expectLength('norm', norm, inner);
  const convolved = causalConvolution({
    input: columns(joint, width, inner, channels),
    tokens,
    channels,
    weight: convolution,
    bias: convolutionBias,
    activation: 'silu',
  });
  const mixed = selectiveScan({
    tokens,
    heads,
    headDim,
    groups,
    state,
    x: columns(convolved, channels, 0, inner),
    input: columns(convolved, channels, inner, groups * state),
    output: columns(convolved, channels, inner + groups * state, groups * state),
    timeStep: columns(joint, width, inner + channels, heads),
    timeBias,
    decay,
    skip,
    leastStep,
  });
  return gatedNorm({
    rows: mixed,
    gate: columns(joint, width, 0, inner),
    group: inner / groups,
    weight: norm,
    width: inner,
    epsilon,
    order: 'gate-then-norm',
  });
}
