import { softplus } from './activations.ts';

/** One sequence of Mamba-2's state space (arXiv 2405.21060). */
export interface SelectiveScanInput {
  readonly tokens: number;
  /** A multiple of `groups`: each group's input and output serve as many neighbouring heads. */
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
  /** B [T, groups, state] */
  readonly input: Float32Array;
  /** C [T, groups, state] */
  readonly output: Float32Array;
  /** D [heads] */
  readonly skip: Float32Array;
  /** Least time step after softplus; there is no greatest (`time_step_limit` of Nemotron-H's mixer). */
  readonly leastStep: number;
}

/** Rows of a head's state that are worked on together. */
const LANES = 4;

/** One head's state h, its rows in fours: [⌈headDim / 4⌉, state, 4], and the token that is read. */
interface Head {
  readonly state: Float64Array;
  /** Δx and h·C, padded with 0 to a multiple of four. */
  readonly x: Float64Array;
  readonly out: Float64Array;
  /** B and C [state] */
  readonly input: Float64Array;
  readonly output: Float64Array;
}

/** h ← fade·h + Δx ⊗ B;  out = h·C. Four rows at a time share the reads of B and C and break the chain of additions. */
function step({ state, x, out, input, output }: Head, fade: number): void {
  const size = input.length;
  for (let i = 0, at = 0; i < x.length; i += LANES) {
    const x0 = x[i] ?? 0;
    const x1 = x[i + 1] ?? 0;
    const x2 = x[i + 2] ?? 0;
    const x3 = x[i + 3] ?? 0;
    let sum0 = 0;
    let sum1 = 0;
    let sum2 = 0;
    let sum3 = 0;
    for (let j = 0; j < size; j++, at += LANES) {
      const b = input[j] ?? 0;
      const c = output[j] ?? 0;
      const cell0 = fade * (state[at] ?? 0) + x0 * b;
      const cell1 = fade * (state[at + 1] ?? 0) + x1 * b;
      const cell2 = fade * (state[at + 2] ?? 0) + x2 * b;
      const cell3 = fade * (state[at + 3] ?? 0) + x3 * b;
      state[at] = cell0;
      state[at + 1] = cell1;
      state[at + 2] = cell2;
      state[at + 3] = cell3;
      sum0 += cell0 * c;
      sum1 += cell1 * c;
      sum2 += cell2 * c;
      sum3 += cell3 * c;
    }
    out[i] = sum0;
    out[i + 1] = sum1;
    out[i + 2] = sum2;
    out[i + 3] = sum3;
  }
}

/**
 * h ← e^(−Δ e^A_log) h + Δ x ⊗ B;  y = h·C + D x, with Δ = max(softplus(dt + bias), least), as `mamba2_chunk_scan` of
 * transformers computes it in chunks. h starts at 0; state and sums in f64.
 * @returns [T, heads, headDim]
 */
export function selectiveScan(scan: SelectiveScanInput): Float32Array<ArrayBuffer> {
  const { tokens, heads, headDim, groups, state: size } = scan;
  const rows = new Float32Array(tokens * heads * headDim);
  const padded = Math.ceil(headDim / LANES) * LANES;
  for (let index = 0; index < heads; index++) {
    const group = Math.floor((index * groups) / heads);
    const rate = -Math.exp(scan.decay[index] ?? 0);
    const skip = scan.skip[index] ?? 0;
    const head: Head = {
      state: new Float64Array(padded * size),
      x: new Float64Array(padded),
      out: new Float64Array(padded),
      input: new Float64Array(size),
      output: new Float64Array(size),
    };
    for (let token = 0; token < tokens; token++) {
      const stepAt = token * heads + index;
      const at = stepAt * headDim;
      const stateAt = (token * groups + group) * size;
      const delta = Math.max(softplus((scan.timeStep[stepAt] ?? 0) + (scan.timeBias[index] ?? 0)), scan.leastStep);
      for (let i = 0; i < headDim; i++) head.x[i] = delta * (scan.x[at + i] ?? 0);
      for (let j = 0; j < size; j++) {
        head.input[j] = scan.input[stateAt + j] ?? 0;
        head.output[j] = scan.output[stateAt + j] ?? 0;
      }
      step(head, Math.exp(rate * delta));
      for (let i = 0; i < headDim; i++) rows[at + i] = (head.out[i] ?? 0) + skip * (scan.x[at + i] ?? 0);
    }
  }
  return rows;
}
