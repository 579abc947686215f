import { kthLowest } from './kth-lowest.ts';
import type { ExpertReason } from './pruning-plan.ts';

/** The constraints of one layer; no expert is both pinned and forced out. */
export interface LayerConstraints {
  readonly pinned: ReadonlySet<number> | undefined;
  readonly forcedOut: ReadonlySet<number> | undefined;
  readonly superExperts: ReadonlySet<number> | undefined;
}

export interface LayerChoice {
  readonly keep: readonly number[];
  readonly drop: readonly number[];
  readonly scores: readonly number[];
  readonly reasons: ReadonlyMap<number, ExpertReason>;
  /** Experts forced out for which `count` left no place. */
  readonly forcedOutKept: number;
}

const FREE = 0;
const PROTECTED = 1;
const FORCED = 2;

/**
 * Chooses `count` experts of one layer to drop: first those forced out, then by rising score; among equal scores the
 * lower index stays. Needs `count` <= E − protected experts.
 *
 * @param scores [E], finite.
 */
export function chooseDropped(scores: Float64Array, count: number, constraints: LayerConstraints): LayerChoice {
  const { pinned, forcedOut, superExperts } = constraints;
  const experts = scores.length;
  const state = new Uint8Array(experts);
  const reasons = new Map<number, ExpertReason>();
  for (const expert of superExperts ?? []) {
    state[expert] = PROTECTED;
    reasons.set(expert, 'super-expert');
  }
  for (const expert of pinned ?? []) {
    state[expert] = PROTECTED;
    reasons.set(expert, 'pinned');
  }
  for (const expert of forcedOut ?? []) {
    state[expert] = FORCED;
    reasons.delete(expert);
  }

  const dropped = new Uint8Array(experts);
  const forced = Math.min(count, forcedOut?.size ?? 0);
  markLowest(scores, state, FORCED, forced, dropped, reasons);
  for (const expert of forcedOut ?? []) {
    if (dropped[expert] === 1) reasons.set(expert, 'forced-out');
  }
  markLowest(scores, state, FREE, count - forced, dropped, reasons);

  const keep: number[] = [];
  const drop: number[] = [];
  const plain = new Array<number>(experts);
  for (let expert = 0; expert < experts; expert++) {
    plain[expert] = scores[expert] ?? 0;
    if (dropped[expert] === 1) drop.push(expert);
    else keep.push(expert);
  }
  return { keep, drop, scores: plain, reasons, forcedOutKept: (forcedOut?.size ?? 0) - forced };
}

/** Marks the `count` lowest scores among the experts in `group`, by the score at the cut. */
function markLowest(
  scores: Float64Array,
  state: Uint8Array,
  group: number,
  count: number,
  dropped: Uint8Array,
  reasons: Map<number, ExpertReason>,
): void {
  if (count <= 0) return;
  const candidates = new Float64Array(scores.length);
  let found = 0;
  for (let expert = 0; expert < scores.length; expert++) {
    if (state[expert] === group) candidates[found++] = scores[expert] ?? 0;
  }
  const cut = kthLowest(candidates, found, count - 1);
  let below = 0;
  let equal = 0;
  for (let at = 0; at < found; at++) {
    const score = candidates[at] ?? 0;
    if (score < cut) below++;
    else if (score === cut) equal++;
  }
  const tied = below + equal > count;
  let equalToDrop = count - below;
  for (let expert = scores.length - 1; expert >= 0; expert--) {
    if (state[expert] !== group) continue;
    const score = scores[expert] ?? 0;
    if (score < cut) dropped[expert] = 1;
    if (score !== cut) continue;
    if (equalToDrop-- > 0) dropped[expert] = 1;
    if (tied) reasons.set(expert, 'tie');
  }
}
