/** Rows normed in groups and gated. */
export interface GatedNorm {
  /** [T, width] */
  readonly rows: Float32Array<ArrayBuffer>;
  readonly gate: Float32Array;
  /** Columns of a group; each has a mean square of its own. */
  readonly group: number;
  /** As many entries as a group or as a row. */
  readonly weight: Float32Array;
  readonly width: number;
  readonly epsilon: number;
  /** silu(gate) multiplies after the norm (Qwen3-Next) or before it (Mamba-2). */
  readonly order: 'norm-then-gate' | 'gate-then-norm';
}

function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}

/** RMS norm of each group of columns with its gate; in place, returned as well. */
export function gatedNorm({ rows, gate, group, weight, width, epsilon, order }: GatedNorm): Float32Array<ArrayBuffer> {
  for (let start = 0; start < rows.length; start += group) {
    let squares = 0;
    for (let i = start; i < start + group; i++) {
      const value = order === 'gate-then-norm' ? (rows[i] ?? 0) * silu(gate[i] ?? 0) : (rows[i] ?? 0);
      rows[i] = value;
      squares += value * value;
    }
    const scale = 1 / Math.sqrt(squares / group + epsilon);
    for (let i = start; i < start + group; i++) {
      const normed = (rows[i] ?? 0) * scale * (weight[(i % width) % weight.length] ?? 1);
      rows[i] = order === 'norm-then-gate' ? normed * silu(gate[i] ?? 0) : normed;
    }
  }
  return rows;
}
