/** Which tokens each expert works on: for expert e, entries [offsets[e], offsets[e + 1]) of the other arrays. */
export interface ExpertAssignment {
  /** [E + 1] */
  readonly offsets: Int32Array<ArrayBuffer>;
  /** [T·K] row of the token in its block, ascending within an expert. */
  readonly rows: Int32Array<ArrayBuffer>;
  /** [T·K] place t·K + k in the routing's arrays, to look its gate up. */
  readonly places: Int32Array<ArrayBuffer>;
}

/** Turns token → experts into expert → tokens. `selected` is [T·K], −1 for an empty place; linear in its length. */
export function assignTokens(selected: Int32Array, experts: number, topK: number): ExpertAssignment {
  const offsets = new Int32Array(experts + 1);
  for (const expert of selected) if (expert >= 0) offsets[expert + 1] = (offsets[expert + 1] ?? 0) + 1;
  for (let expert = 0; expert < experts; expert++)
    offsets[expert + 1] = (offsets[expert + 1] ?? 0) + (offsets[expert] ?? 0);
  const next = offsets.slice(0, experts);
  const pairs = offsets[experts] ?? 0;
  const rows = new Int32Array(pairs);
  const places = new Int32Array(pairs);
  for (let place = 0; place < selected.length; place++) {
    const expert = selected[place] ?? -1;
    if (expert < 0) continue;
    const at = next[expert] ?? 0;
    next[expert] = at + 1;
    rows[at] = Math.floor(place / topK);
    places[at] = place;
  }
  return { offsets, rows, places };
}

/** [E] tokens of each expert. */
export function assignedCounts({ offsets }: ExpertAssignment): Int32Array {
  return Int32Array.from(
    { length: offsets.length - 1 },
    (_, expert) => (offsets[expert + 1] ?? 0) - (offsets[expert] ?? 0),
  );
}
