import { chooseDropped, type LayerChoice, type LayerConstraints } from './layer-choice.ts';
import type { ExpertReason } from './pruning-plan.ts';

function within(experts: ReadonlySet<number> | undefined, from: number, to: number): ReadonlySet<number> | undefined {
  if (experts === undefined) return undefined;
  return new Set([...experts].filter((expert) => expert >= from && expert < to).map((expert) => expert - from));
}

/**
 * Chooses `count` experts of one layer to drop, as many from each of `groups` contiguous groups; see `chooseDropped`.
 * `count` is a multiple of `groups`.
 */
export function chooseByGroups(
  groups: number,
  scores: Float64Array,
  count: number,
  constraints: LayerConstraints,
): LayerChoice {
  if (groups === 1) return chooseDropped(scores, count, constraints);
  const size = scores.length / groups;
  const keep: number[] = [];
  const drop: number[] = [];
  const reasons = new Map<number, ExpertReason>();
  let forcedOutKept = 0;
  for (let group = 0; group < groups; group++) {
    const from = group * size;
    const choice = chooseDropped(scores.subarray(from, from + size), count / groups, {
      pinned: within(constraints.pinned, from, from + size),
      forcedOut: within(constraints.forcedOut, from, from + size),
      superExperts: within(constraints.superExperts, from, from + size),
    });
    keep.push(...choice.keep.map((expert) => expert + from));
    drop.push(...choice.drop.map((expert) => expert + from));
    for (const [expert, reason] of choice.reasons) reasons.set(expert + from, reason);
    forcedOutKept += choice.forcedOutKept;
  }
  return { keep, drop, scores: [...scores], reasons, forcedOutKept };
}
