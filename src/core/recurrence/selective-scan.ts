/** One sequence of Mamba-2's state space (arXiv 2405.21060). */
export interface SelectiveScanInput {
  readonly tokens: number;
  readonly heads: number;
  readonly headDim: number;
  readonly groups: number;
  readonly state: number;
  /** [T, heads, headDim] */
  readonly x: Float32Array;
  /** [T, heads] before bias and softplus. */
  readonly timeStep: Float32Array;
  /** [heads] */
  readonly timeBias: Float32Array;
  /** [heads]; the state's rate is −e^A_log. */
  readonly decay: Float32Array;
  /** [T, groups, state] */
  readonly input: Float32Array;
  readonly output: Float32Array;
  /** [heads] */
  readonly skip: Float32Array;
  /** Least time step after softplus. */
  readonly leastStep: number;
}

function softplus(x: number): number {
  return x > 20 ? x : Math.log1p(Math.exp(x));
}

/** h ← e^(−Δ e^A) h + Δ x ⊗ B;  y = h C + D x, with Δ = max(softplus(dt + bias), least). @returns [T, heads, headDim] */
export function selectiveScan(scan: SelectiveScanInput): Float32Array<ArrayBuffer> {
  const { tokens, heads, headDim, groups, state: size } = scan;
  const out = new Float32Array(tokens * heads * headDim);
  for (let head = 0; head < heads; head++) {
    const group = Math.floor((head * groups) / heads);
    const rate = -Math.exp(scan.decay[head] ?? 0);
    const skip = scan.skip[head] ?? 0;
    const state = new Float64Array(headDim * size);
    for (let token = 0; token < tokens; token++) {
      const raw = (scan.timeStep[token * heads + head] ?? 0) + (scan.timeBias[head] ?? 0);
      const step = Math.max(softplus(raw), scan.leastStep);
      const fade = Math.exp(rate * step);
      const at = (token * heads + head) * headDim;
      const inner = (token * groups + group) * size;
      for (let i = 0, cell = 0; i < headDim; i++) {
        const x = scan.x[at + i] ?? 0;
        let sum = skip * x;
        for (let j = 0; j < size; j++, cell++) {
          const updated = (state[cell] ?? 0) * fade + step * x * (scan.input[inner + j] ?? 0);
          state[cell] = updated;
          sum += updated * (scan.output[inner + j] ?? 0);
        }
        out[at + i] = sum;
      }
    }
  }
  return out;
}
