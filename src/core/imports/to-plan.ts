import type { CheckpointSummary } from '../checkpoint/summary.ts';
import { IMPORTED_METRIC } from '../plan/imported-metric.ts';
import { checkPlanFits } from '../plan/plan-file.ts';
import type { LayerPlan, PruningPlan } from '../plan/pruning-plan.ts';
import { matchLayers } from './match-layers.ts';
import { otherModelImport } from './refusals.ts';
import type { RetainedLayer } from './retained-experts.ts';

/**
 * A plan that keeps what another tool kept: without scores, which its file does not hold.
 *
 * @throws StudioError plan/other-model, and as checkPlanFits.
 */
export function toPlan(
  file: string,
  retained: readonly RetainedLayer[],
  summary: CheckpointSummary,
): { readonly plan: PruningPlan; readonly notes: readonly string[] } {
  const { pairs, notes } = matchLayers(file, retained, summary);
  const layers = pairs.map(([{ layer, experts }, { keep }]): LayerPlan => {
    const stray = keep.find((expert) => expert >= experts);
    if (stray !== undefined) {
      throw otherModelImport(
        file,
        summary.label,
        `keeps expert ${stray} of layer ${layer}, and the model has ${experts}`,
      );
    }
    const kept = new Set(keep);
    const drop = Array.from({ length: experts }, (_, expert) => expert).filter((expert) => !kept.has(expert));
    return { layer, experts, keep, drop, scores: [], reasons: new Map() };
  });
  const [first] = layers;
  const plan: PruningPlan = {
    model: { architecture: summary.architecture, fingerprint: summary.fingerprint, source: summary.label },
    metric: IMPORTED_METRIC,
    policy: 'uniform',
    ratio: first === undefined ? 0 : first.drop.length / first.experts,
    calibration: { domains: [], gate: 'model', statisticsHash: null },
    nextToken: 'prune',
    layers,
  };
  checkPlanFits(plan, summary);
  return {
    plan,
    notes: [...notes, 'The file lists what stays and holds no scores: which experts go cannot be changed by degrees.'],
  };
}
