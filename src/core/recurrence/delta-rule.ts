/** One sequence of the gated delta rule (arXiv 2412.06464): heads of queries, keys and values, decays and step sizes. */
export interface DeltaRule {
  readonly tokens: number;
  readonly keyHeads: number;
  /** A multiple of `keyHeads`: each key head serves as many neighbouring value heads. */
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

/** `l2norm` of transformers adds it to the sum of squares. */
const EPSILON = 1e-6;

/** Writes x / √(Σ x² + ε) · factor of one head into `out`. */
function unit(x: Float32Array, at: number, factor: number, out: Float64Array): void {
  let squares = 0;
  for (let i = 0; i < out.length; i++) squares += (x[at + i] ?? 0) ** 2;
  const scale = factor / Math.sqrt(squares + EPSILON);
  for (let i = 0; i < out.length; i++) out[i] = (x[at + i] ?? 0) * scale;
}

/** One head's state S and the token that is read; columns of S, its values, lie in pairs: [⌈valueDim / 2⌉, keyDim, 2]. */
interface Head {
  readonly state: Float64Array;
  readonly query: Float64Array;
  readonly key: Float64Array;
  /** An even count of values; the last is 0 where valueDim is odd. */
  readonly value: Float64Array;
  /** What the token before has yet to write into the state: lastKey ⊗ written. */
  readonly lastKey: Float64Array;
  readonly written: Float64Array;
  readonly out: Float64Array;
}

/**
 * One token in one pass over the state: S ← lastDecay·S + lastKey ⊗ written is made up while Sᵀk and Sᵀq are summed, and
 * the token's own write is left to the next: with w = β(v − decay·Sᵀk), o = decay·Sᵀq + (k·q)·w. Two columns at a time
 * share the reads of k and q.
 */
function step(head: Head, lastDecay: number, decay: number, beta: number): void {
  const { state, query, key, value, lastKey, written, out } = head;
  const keyDim = key.length;
  let overlap = 0;
  for (let i = 0; i < keyDim; i++) overlap += (key[i] ?? 0) * (query[i] ?? 0);
  for (let j = 0, at = 0; j < value.length; j += 2) {
    const write0 = written[j] ?? 0;
    const write1 = written[j + 1] ?? 0;
    let known0 = 0;
    let known1 = 0;
    let read0 = 0;
    let read1 = 0;
    for (let i = 0; i < keyDim; i++, at += 2) {
      const k = key[i] ?? 0;
      const q = query[i] ?? 0;
      const last = lastKey[i] ?? 0;
      const cell0 = lastDecay * (state[at] ?? 0) + write0 * last;
      const cell1 = lastDecay * (state[at + 1] ?? 0) + write1 * last;
      state[at] = cell0;
      state[at + 1] = cell1;
      known0 += cell0 * k;
      known1 += cell1 * k;
      read0 += cell0 * q;
      read1 += cell1 * q;
    }
    const next0 = beta * ((value[j] ?? 0) - decay * known0);
    const next1 = beta * ((value[j + 1] ?? 0) - decay * known1);
    written[j] = next0;
    written[j + 1] = next1;
    out[j] = decay * read0 + overlap * next0;
    out[j + 1] = decay * read1 + overlap * next1;
  }
  lastKey.set(key);
}

/**
 * S ← e^g S;  S ← S + k ⊗ β(v − Sᵀk);  o = Sᵀq, with q and k of unit length and q times keyDim^−½, as
 * `torch_recurrent_gated_delta_rule` of transformers computes it (its chunked form gives the same). S starts at 0; state
 * and sums in f64.
 * @returns [T, valueHeads, valueDim]
 */
export function deltaRule(rule: DeltaRule): Float32Array<ArrayBuffer> {
  const { tokens, keyHeads, valueHeads, keyDim, valueDim } = rule;
  const rows = new Float32Array(tokens * valueHeads * valueDim);
  const shared = valueHeads / keyHeads;
  const lanes = valueDim + (valueDim % 2);
  for (let index = 0; index < valueHeads; index++) {
    const keyHead = Math.floor(index / shared);
    const head: Head = {
      state: new Float64Array(keyDim * lanes),
      query: new Float64Array(keyDim),
      key: new Float64Array(keyDim),
      value: new Float64Array(lanes),
      lastKey: new Float64Array(keyDim),
      written: new Float64Array(lanes),
      out: new Float64Array(lanes),
    };
    let lastDecay = 1;
    for (let token = 0; token < tokens; token++) {
      const keyAt = (token * keyHeads + keyHead) * keyDim;
      const gateAt = token * valueHeads + index;
      const valueAt = gateAt * valueDim;
      unit(rule.query, keyAt, 1 / Math.sqrt(keyDim), head.query);
      unit(rule.key, keyAt, 1, head.key);
      for (let j = 0; j < valueDim; j++) head.value[j] = rule.value[valueAt + j] ?? 0;
      const decay = Math.exp(rule.logDecay[gateAt] ?? 0);
      step(head, lastDecay, decay, rule.beta[gateAt] ?? 0);
      for (let j = 0; j < valueDim; j++) rows[valueAt + j] = head.out[j] ?? 0;
      lastDecay = decay;
    }
  }
  return rows;
}
