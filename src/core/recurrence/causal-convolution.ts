/** Rows of T tokens × channels and a depth-wise kernel. */
export interface CausalConvolution {
  /** [T, C] */
  readonly input: Float32Array;
  readonly tokens: number;
  readonly channels: number;
  /** [C, k], the last tap is the present token's. */
  readonly weight: Float32Array;
  readonly bias: Float32Array | undefined;
  readonly activation: 'silu' | 'none';
}

/** Depth-wise causal convolution over one sequence with nothing before it: [T, C]. */
export function causalConvolution({
  input,
  tokens,
  channels,
  weight,
  bias,
  activation,
}: CausalConvolution): Float32Array<ArrayBuffer> {
  const taps = weight.length / channels;
  const out = new Float32Array(tokens * channels);
  for (let token = 0; token < tokens; token++) {
    const first = Math.max(0, taps - 1 - token);
    for (let channel = 0; channel < channels; channel++) {
      let sum = bias?.[channel] ?? 0;
      for (let tap = first; tap < taps; tap++) {
        sum += (weight[channel * taps + tap] ?? 0) * (input[(token - taps + 1 + tap) * channels + channel] ?? 0);
      }
      out[token * channels + channel] = activation === 'silu' ? sum / (1 + Math.exp(-sum)) : sum;
    }
  }
  return out;
}
