import type { RopeScaling, Rotary } from '../checkpoint/rope-config.ts';

/**
 * Inverse frequencies θ^(−2i/d), changed as the scaling says; [dimensions / 2]. Rounded to f32 at each step as
 * transformers does: at position 32,768 the difference to exact angles is some 1e-3 radian, more than this project's
 * tolerance. Formulas: YaRN arXiv 2309.00071 (eq. 18–23), Llama-3 by its release, LongRoPE arXiv 2402.13753.
 */
function inverseFrequencies({ dimensions, theta, scaling }: Rotary, long: boolean): Float32Array {
  const f = Math.fround;
  const powers = Float32Array.from({ length: dimensions / 2 }, (_, i) => theta ** ((2 * i) / dimensions));
  switch (scaling.kind) {
    case 'linear':
      return powers.map((power) => f(f(1 / power) / scaling.factor));
    case 'longrope': {
      const factors = long ? scaling.longFactors : scaling.shortFactors;
      return powers.map((power, i) => 1 / f((factors[i] ?? 1) * power));
    }
    case 'yarn': {
      const correction = (rotations: number): number =>
        (dimensions * Math.log(scaling.originalPositions / (rotations * 2 * Math.PI))) / (2 * Math.log(theta));
      const bound = (value: number, round: (x: number) => number): number => (scaling.truncate ? round(value) : value);
      const low = Math.max(bound(correction(scaling.betaFast), Math.floor), 0);
      const high = Math.min(bound(correction(scaling.betaSlow), Math.ceil), dimensions - 1);
      const span = low === high ? 0.001 : high - low;
      return powers.map((power, i) => {
        const kept = f(1 - f(Math.min(1, Math.max(0, f(f(i - low) / span)))));
        return f(f(f(1 / f(scaling.factor * power)) * f(1 - kept)) + f(f(1 / power) * kept));
      });
    }
    case 'llama3': {
      const { factor, originalPositions, lowFrequencyFactor, highFrequencyFactor } = scaling;
      return powers.map((power) => {
        const frequency = f(1 / power);
        const wavelength = (2 * Math.PI) / frequency;
        if (wavelength < originalPositions / highFrequencyFactor) return frequency;
        if (wavelength > originalPositions / lowFrequencyFactor) return frequency / factor;
        const smooth =
          (originalPositions / wavelength - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
        return ((1 - smooth) * frequency) / factor + smooth * frequency;
      });
    }
    default:
      return powers.map((power) => 1 / power);
  }
}

function attentionFactor(scaling: RopeScaling, long: boolean): number {
  if (scaling.kind === 'yarn') return scaling.attentionFactor;
  if (scaling.kind === 'longrope') return long ? scaling.longAttentionFactor : scaling.shortAttentionFactor;
  return 1;
}

/** Whether sequences of this length take LongRoPE's second table. */
export function isLong({ scaling }: Rotary, length: number): boolean {
  return scaling.kind === 'longrope' && length > scaling.originalPositions;
}

/**
 * Tables of the rotary position embedding, [positions, dimensions / 2] each: cos and sin of position · frequency, times
 * the scaling's factor. `long`: LongRoPE's table for sequences beyond the original context.
 */
export function rotaryTables(
  rotary: Rotary,
  positions: number,
  long = false,
): { cos: Float32Array<ArrayBuffer>; sin: Float32Array<ArrayBuffer> } {
  const frequencies = inverseFrequencies(rotary, long);
  const factor = attentionFactor(rotary.scaling, long);
  const half = frequencies.length;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let position = 0; position < positions; position++) {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(position * (frequencies[i] ?? 0));
      cos[position * half + i] = Math.cos(angle) * factor;
      sin[position * half + i] = Math.sin(angle) * factor;
    }
  }
  return { cos, sin };
}
