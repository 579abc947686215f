import type { Routing } from '../routing/router.ts';

/** The (token, expert) pairs that a layer computes, and what each of them counts for. */
export interface ObservedPairs {
  /** Places a token has: entries t·perToken … of the arrays below. */
  readonly perToken: number;
  /** Expert of each place; −1 where a place is empty. */
  readonly selected: Int32Array;
  /** What the model multiplies with; 0 for pairs that only the statistics look at. */
  readonly gates: Float32Array;
  /** What the statistics weigh with; NaN for pairs that they do not look at. */
  readonly observedGates: Float32Array;
}

/**
 * Pairs of the model's own choice, of which those beyond the `experts` real ones stay empty; with `reference` also the pairs that the
 * reference implementation looks at (the K largest raw logits), which another router does not choose itself.
 */
export function observedPairs(
  model: Routing,
  reference: Routing | undefined,
  tokens: number,
  topK: number,
  experts: number,
): ObservedPairs {
  if (reference === undefined) {
    const selected = model.selected.map((expert) => (expert < experts ? expert : -1));
    return { perToken: topK, selected, gates: model.gates, observedGates: model.gates };
  }
  const perToken = 2 * topK;
  const selected = new Int32Array(tokens * perToken).fill(-1);
  const gates = new Float32Array(tokens * perToken);
  const observedGates = new Float32Array(tokens * perToken).fill(Number.NaN);
  for (let token = 0; token < tokens; token++) {
    const at = token * perToken;
    for (let k = 0; k < topK; k++) {
      const expert = model.selected[token * topK + k] ?? -1;
      if (expert >= experts) continue;
      selected[at + k] = expert;
      gates[at + k] = model.gates[token * topK + k] ?? 0;
    }
    for (let k = 0; k < topK; k++) {
      const expert = reference.selected[token * topK + k] ?? -1;
      const own = selected.subarray(at, at + topK).indexOf(expert);
      const place = own >= 0 ? at + own : at + topK + k;
      selected[place] = expert;
      observedGates[place] = reference.gates[token * topK + k] ?? 0;
    }
  }
  return { perToken, selected, gates, observedGates };
}
