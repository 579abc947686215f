/** One sequence of the gated delta rule (arXiv 2412.06464): heads of queries, keys and values, decays and step sizes. */
export interface DeltaRule {
  readonly tokens: number;
  readonly keyHeads: number;
  readonly valueHeads: number;
  readonly keyDim: number;
  readonly valueDim: number;
  /** [T, keyHeads, keyDim] before their L2 norm. */
  readonly query: Float32Array;
  readonly key: Float32Array;
  /** [T, valueHeads, valueDim] */
  readonly value: Float32Array;
  /** [T, valueHeads] natural logarithm of the decay, ≤ 0. */
  readonly logDecay: Float32Array;
  /** [T, valueHeads] in (0, 1). */
  readonly beta: Float32Array;
}

const EPSILON = 1e-6;

/** Writes x / √(Σ x² + ε) · factor of one head into `out`. */
function unit(x: Float32Array, at: number, size: number, factor: number, out: Float64Array): void {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += (x[at + i] ?? 0) ** 2;
  const scale = factor / Math.sqrt(sum + EPSILON);
  for (let i = 0; i < size; i++) out[i] = (x[at + i] ?? 0) * scale;
}

/**
 * S ← e^g S;  S ← S + k ⊗ β(v − Sᵀk);  o = Sᵀq, with q and k of unit length and q times keyDim^−½. Key heads serve
 * valueHeads / keyHeads value heads each. State in f64.
 * @returns [T, valueHeads, valueDim]
 */
export function deltaRule(rule: DeltaRule): Float32Array<ArrayBuffer> {
  const { tokens, keyHeads, valueHeads, keyDim, valueDim } = rule;
  const out = new Float32Array(tokens * valueHeads * valueDim);
  const shared = valueHeads / keyHeads;
  const query = new Float64Array(keyDim);
  const key = new Float64Array(keyDim);
  const read = new Float64Array(valueDim);
  for (let head = 0; head < valueHeads; head++) {
    const keyHead = Math.floor(head / shared);
    const state = new Float64Array(keyDim * valueDim);
    for (let token = 0; token < tokens; token++) {
      const keyAt = (token * keyHeads + keyHead) * keyDim;
      const valueAt = (token * valueHeads + head) * valueDim;
      unit(rule.query, keyAt, keyDim, 1 / Math.sqrt(keyDim), query);
      unit(rule.key, keyAt, keyDim, 1, key);
      const decay = Math.exp(rule.logDecay[token * valueHeads + head] ?? 0);
      const beta = rule.beta[token * valueHeads + head] ?? 0;
      read.fill(0);
      for (let i = 0, at = 0; i < keyDim; i++) {
        const k = key[i] ?? 0;
        for (let j = 0; j < valueDim; j++, at++) {
          const faded = (state[at] ?? 0) * decay;
          state[at] = faded;
          read[j] = (read[j] ?? 0) + faded * k;
        }
      }
      for (let j = 0; j < valueDim; j++) read[j] = beta * ((rule.value[valueAt + j] ?? 0) - (read[j] ?? 0));
      for (let i = 0, at = 0; i < keyDim; i++) {
        const k = key[i] ?? 0;
        const q = query[i] ?? 0;
        for (let j = 0; j < valueDim; j++, at++) {
          const updated = (state[at] ?? 0) + k * (read[j] ?? 0);
          state[at] = updated;
          out[valueAt + j] = (out[valueAt + j] ?? 0) + q * updated;
        }
      }
    }
  }
  return out;
}
