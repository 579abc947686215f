import { causalConvolution } from './causal-convolution.ts';
import { columns } from './columns.ts';
import { expectLength, rowCount } from './row-counts.ts';

export interface ShortConvolutionParameters {
  /** `conv.weight` [H, k] */
  readonly convolution: Float32Array;
  /** `conv.bias` [H] */
  readonly convolutionBias: Float32Array | undefined;
}

/**
 * One sequence of a gated short convolution (`Lfm2MoeShortConv`) between its projections: a row of `in_proj` is
 * [B | C | x] and y = C ⊙ conv(B ⊙ x), without activation.
 * @param joint [T, 3H]
 * @returns the rows of the output projection, [T, H]
 * @throws RangeError when an array's length does not fit
 */
export function shortConvolution(
  hidden: number,
  { convolution, convolutionBias }: ShortConvolutionParameters,
  joint: Float32Array,
): Float32Array<ArrayBuffer> {
  const tokens = rowCount('in_proj rows', joint, 3 * hidden);
  rowCount('convolution', convolution, hidden);
  if (convolutionBias !== undefined) expectLength('convolutionBias', convolutionBias, hidden);
  const gateIn = columns(joint, 3 * hidden, 0, hidden);
  const gateOut = columns(joint, 3 * hidden, hidden, hidden);
  const x = columns(joint, 3 * hidden, 2 * hidden, hidden);
  const out = causalConvolution({
    input: x.map((value, i) => value * (gateIn[i] ?? 0)),
    tokens,
    channels: hidden,
    weight: convolution,
    bias: convolutionBias,
    activation: 'none',
  });
  for (let i = 0; i < out.length; i++) out[i] = (out[i] ?? 0) * (gateOut[i] ?? 0);
  return out;
}
