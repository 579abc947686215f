import { silu } from './activations.ts';

/** Rows normed in groups and gated. */
export interface GatedNorm {
  /** [T, width] */
  readonly rows: Float32Array;
  /** [T, width] before its silu. */
  readonly gate: Float32Array;
  /** Columns of a group; each has a mean square of its own. Divides `width`. */
  readonly group: number;
  /** As many entries as a group, the same for all, or as a row. */
  readonly weight: Float32Array;
  readonly width: number;
  readonly epsilon: number;
  /** silu(gate) multiplies after the norm (`Qwen3NextRMSNormGated`) or before it (`Zamba2RMSNormGated`, Mamba-2). */
  readonly order: 'norm-then-gate' | 'gate-then-norm';
}

/**
 * RMS norm of each group of columns with its gate: norm(x)·w·silu(z), or norm(x·silu(z))·w, where
 * norm(x) = x / √(mean x² + ε). Sums in f64.
 * @returns [T, width]
 */
export function gatedNorm({ rows, gate, group, weight, width, epsilon, order }: GatedNorm): Float32Array<ArrayBuffer> {
  const out = new Float32Array(rows.length);
  const values = new Float64Array(group);
  const gates = new Float64Array(group);
  const gateFirst = order === 'gate-then-norm';
  for (let row = 0; row < rows.length; row += width) {
    for (let column = 0; column < width; column += group) {
      const at = row + column;
      const weightAt = column % weight.length;
      let squares = 0;
      for (let i = 0; i < group; i++) {
        const gated = silu(gate[at + i] ?? 0);
        const value = (rows[at + i] ?? 0) * (gateFirst ? gated : 1);
        values[i] = value;
        gates[i] = gateFirst ? 1 : gated;
        squares += value * value;
      }
      const scale = 1 / Math.sqrt(squares / group + epsilon);
      for (let i = 0; i < group; i++) {
        out[at + i] = (values[i] ?? 0) * scale * (weight[weightAt + i] ?? 0) * (gates[i] ?? 0);
      }
    }
  }
  return out;
}
