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

/** [C, k] → [k, C], so that each tap's loop reads and writes neighbours. */
function byTap(weight: Float32Array, channels: number, taps: number): Float64Array {
  const out = new Float64Array(weight.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let tap = 0; tap < taps; tap++) out[tap * channels + channel] = weight[channel * taps + tap] ?? 0;
  }
  return out;
}

/** sums += taps ⊙ rows, over one row of channels. */
function addTap(sums: Float64Array, taps: Float64Array, tapAt: number, rows: Float32Array, rowAt: number): void {
  for (let channel = 0; channel < sums.length; channel++) {
    sums[channel] = (sums[channel] ?? 0) + (taps[tapAt + channel] ?? 0) * (rows[rowAt + channel] ?? 0);
  }
}

/**
 * Depth-wise causal convolution over one sequence with nothing before it, as `causal_conv1d_fn` of transformers:
 * y[t, c] = activation(bias[c] + Σ_i weight[c, i] · x[t − k + 1 + i, c]). Sums in f64.
 * @returns [T, C]
 */
export function causalConvolution(convolution: CausalConvolution): Float32Array<ArrayBuffer> {
  const { input, tokens, channels, weight, bias, activation } = convolution;
  const taps = weight.length / channels;
  const kernel = byTap(weight, channels, taps);
  const sums = new Float64Array(channels);
  const out = new Float32Array(tokens * channels);
  for (let token = 0; token < tokens; token++) {
    if (bias === undefined) sums.fill(0);
    else sums.set(bias);
    for (let tap = Math.max(0, taps - 1 - token); tap < taps; tap++) {
      addTap(sums, kernel, tap * channels, input, (token - taps + 1 + tap) * channels);
    }
    const at = token * channels;
    if (activation === 'none') out.set(sums, at);
    else for (let channel = 0; channel < channels; channel++) out[at + channel] = silu(sums[channel] ?? 0);
  }
  return out;
}
