import { silu } from './activations.ts';

/** Rows of T tokens × channels and a depth-wise kernel. */
export interface CausalConvolution {
  /** [T, C] */
  readonly input: Float32Array;
  readonly tokens: number;
  readonly channels: number;
  /** [C, k], the last tap is the present token's. */
  readonly weight: Float32Array;
  /** [C] */
  readonly bias: Float32Array | undefined;
  readonly activation: 'silu' | 'none';
}

/**
 * Depth-wise causal convolution over one sequence with nothing before it, as `causal_conv1d_fn` of transformers:
 * y[t, c] = activation(bias[c] + Σ_i weight[c, i] · x[t − k + 1 + i, c]). Sums in f64.
 * @returns [T, C]
 */
export function causalConvolution(convolution: CausalConvolution): Float32Array<ArrayBuffer> {
  const { input, tokens, channels, weight, bias, activation } = convolution;
  const taps = weight.length / channels;
  const out = new Float32Array(tokens * channels);
  for (let token = 0; token < tokens; token++) {
    const first = Math.max(0, taps - 1 - token);
    const row = token * channels;
    const firstRow = row - (taps - 1 - first) * channels;
    for (let channel = 0; channel < channels; channel++) {
      let sum = bias?.[channel] ?? 0;
      const end = (channel + 1) * taps;
      for (let tap = channel * taps + first, at = firstRow + channel; tap < end; tap++, at += channels) {
        sum += (weight[tap] ?? 0) * (input[at] ?? 0);
      }
      out[row + channel] = activation === 'silu' ? silu(sum) : sum;
    }
  }
  return out;
}
