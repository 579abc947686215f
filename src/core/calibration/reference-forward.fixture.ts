/**
 * The forward pass of a Qwen3-MoE model in plain f64 loops, one sequence at a time: the oracle of the ONNX graphs and of
 * the engine, written from the formulas and sharing no code with them.
 */
export type Matrix = readonly Float64Array[];

export interface ReferenceModel {
  readonly tensor: (name: string) => { readonly values: Float32Array; readonly shape: readonly number[] };
  readonly layers: number;
  readonly isMoe: (layer: number) => boolean;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  readonly topK: number;
  readonly renormalise: boolean;
  readonly epsilon: number;
  readonly theta: number;
}

/** One routed (token, expert) pair. */
export interface ReferencePair {
  readonly layer: number;
  readonly expert: number;
  readonly gate: number;
  readonly norm: number;
  readonly maxAbs: number;
}

function multiply(x: Matrix, { values, shape }: ReturnType<ReferenceModel['tensor']>): Matrix {
  const [rows = 0, columns = 0] = shape;
  return x.map((row) =>
    Float64Array.from({ length: rows }, (_, r) => {
      let sum = 0;
      for (let c = 0; c < columns; c++) sum += (row[c] ?? 0) * (values[r * columns + c] ?? 0);
      return sum;
    }),
  );
}

function rmsNorm(x: Float64Array, scale: Float32Array, epsilon: number): Float64Array {
  const meanSquare = x.reduce((sum, value) => sum + value * value, 0) / x.length;
  return x.map((value, i) => (value / Math.sqrt(meanSquare + epsilon)) * (scale[i] ?? 0));
}

function rotate(head: Float64Array, position: number, theta: number): Float64Array {
  const half = head.length / 2;
  return head.map((value, i) => {
    const angle = position * theta ** (-(2 * (i % half)) / head.length);
    const partner = i < half ? -(head[i + half] ?? 0) : (head[i - half] ?? 0);
    return value * Math.cos(angle) + partner * Math.sin(angle);
  });
}

function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

function attention(model: ReferenceModel, x: Matrix, prefix: string): Matrix {
  const { heads, keyValueHeads, headDim, epsilon, theta } = model;
  const headOf = (row: Float64Array | undefined, head: number): Float64Array =>
    row?.slice(head * headDim, (head + 1) * headDim) ?? new Float64Array(headDim);
  const normed = (rows: Matrix, count: number, name: string): Float64Array[][] =>
    rows.map((row, position) =>
      Array.from({ length: count }, (_, head) =>
        rotate(rmsNorm(headOf(row, head), model.tensor(`${prefix}.${name}.weight`).values, epsilon), position, theta),
      ),
    );
  const query = normed(multiply(x, model.tensor(`${prefix}.q_proj.weight`)), heads, 'q_norm');
  const key = normed(multiply(x, model.tensor(`${prefix}.k_proj.weight`)), keyValueHeads, 'k_norm');
  const value = multiply(x, model.tensor(`${prefix}.v_proj.weight`));
  const mixed = x.map((_, position) => {
    const row = new Float64Array(heads * headDim);
    for (let head = 0; head < heads; head++) {
      const shared = Math.floor(head / (heads / keyValueHeads));
      const scores = Array.from({ length: position + 1 }, (__, past) => {
        const q = query[position]?.[head] ?? new Float64Array();
        return (
          q.reduce((sum, component, i) => sum + component * (key[past]?.[shared]?.[i] ?? 0), 0) / Math.sqrt(headDim)
        );
      });
      for (const [past, weight] of softmax(scores).entries()) {
        headOf(value[past], shared).forEach((component, i) => {
          row[head * headDim + i] = (row[head * headDim + i] ?? 0) + weight * component;
        });
      }
    }
    return row;
  });
  return multiply(mixed, model.tensor(`${prefix}.o_proj.weight`));
}

function mlp(model: ReferenceModel, x: Matrix, prefix: string): Matrix {
  const gate = multiply(x, model.tensor(`${prefix}.gate_proj.weight`));
  const up = multiply(x, model.tensor(`${prefix}.up_proj.weight`));
  const inner = gate.map((row, t) => row.map((value, i) => (value / (1 + Math.exp(-value))) * (up[t]?.[i] ?? 0)));
  return multiply(inner, model.tensor(`${prefix}.down_proj.weight`));
}

function add(x: Float64Array, y: Float64Array | undefined, factor = 1): Float64Array {
  return x.map((value, i) => value + factor * (y?.[i] ?? 0));
}

/** Runs one sequence; `dropped(layer)` experts take no part. Returns its routed pairs and the logits of each position. */
export function referenceForward(
  model: ReferenceModel,
  ids: readonly number[],
  dropped: (layer: number) => ReadonlySet<number> = () => new Set(),
): { pairs: ReferencePair[]; logits: Matrix } {
  const embedding = model.tensor('model.embed_tokens.weight');
  const width = embedding.shape[1] ?? 0;
  const pairs: ReferencePair[] = [];
  let hidden: Matrix = ids.map((id) => Float64Array.from(embedding.values.subarray(id * width, (id + 1) * width)));
  for (let layer = 0; layer < model.layers; layer++) {
    const at = `model.layers.${layer}`;
    const norm = (name: string): Matrix =>
      hidden.map((row) => rmsNorm(row, model.tensor(`${at}.${name}.weight`).values, model.epsilon));
    const attended = attention(model, norm('input_layernorm'), `${at}.self_attn`);
    hidden = hidden.map((row, t) => add(row, attended[t]));
    const x = norm('post_attention_layernorm');
    if (!model.isMoe(layer)) {
      const dense = mlp(model, x, `${at}.mlp`);
      hidden = hidden.map((row, t) => add(row, dense[t]));
      continue;
    }
    const logits = multiply(x, model.tensor(`${at}.mlp.gate.weight`));
    hidden = hidden.map((row, t) => {
      const out = dropped(layer);
      const experts = [...(logits[t]?.keys() ?? [])].filter((expert) => !out.has(expert));
      const probabilities = softmax(experts.map((expert) => logits[t]?.[expert] ?? 0));
      const ranked = experts
        .map((expert, i) => ({ expert, p: probabilities[i] ?? 0 }))
        .sort((a, b) => b.p - a.p || a.expert - b.expert);
      const chosen = ranked.slice(0, model.topK);
      const sum = model.renormalise ? chosen.reduce((total, { p }) => total + p, 0) : 1;
      return chosen.reduce((result, { expert, p }) => {
        const [y] = mlp(model, [x[t] ?? new Float64Array()], `${at}.mlp.experts.${expert}`);
        const norm2 = Math.sqrt(y?.reduce((total, value) => total + value * value, 0) ?? 0);
        pairs.push({ layer, expert, gate: p / sum, norm: norm2, maxAbs: Math.max(...(y?.map(Math.abs) ?? [])) });
        return add(result, y, p / sum);
      }, row);
    });
  }
  const final = hidden.map((row) => rmsNorm(row, model.tensor('model.norm.weight').values, model.epsilon));
  return { pairs, logits: multiply(final, model.tensor('lm_head.weight')) };
}
