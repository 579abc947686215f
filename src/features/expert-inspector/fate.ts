import type { ExpertReason, LayerPlan } from '../../core/plan/pruning-plan.ts';

export interface Fate {
  readonly kept: boolean;
  /** Why, one sentence. */
  readonly why: string;
}

const REASONS: Readonly<Record<ExpertReason, string>> = {
  pinned: 'it is pinned',
  'forced-out': 'it is forced out',
  'super-expert': 'it is a super expert: its output holds rare, extreme values that the model relies on',
  tie: 'its score equals another’s at the cut, and the lower number stays',
};

/** Why the plan keeps or cuts an expert of a measured layer. `rank` counts from 1, the most salient. */
export function fateOf(plan: LayerPlan, expert: number, rank: number, metricLabel: string): Fate {
  const kept = !plan.drop.includes(expert);
  const reason = plan.reasons.get(expert);
  if (reason !== undefined) return { kept, why: `${kept ? 'Kept' : 'Cut'}: ${REASONS[reason]}.` };
  if (plan.drop.length === 0) return { kept, why: 'Kept: at this ratio nothing goes.' };
  const place = `rank ${rank} of ${plan.experts} by ${metricLabel}`;
  return kept
    ? { kept, why: `Kept: ${place}; the ${plan.keep.length} best of the layer stay.` }
    : { kept, why: `Cut: ${place}; the ${plan.drop.length} least of the layer go.` };
}
