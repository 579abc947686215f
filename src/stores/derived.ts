import { toWireError, type WireError } from '../core/base/errors.ts';
import type { CheckpointSummary } from '../core/checkpoint/summary.ts';
import { IMPORTED_METRIC } from '../core/plan/imported-metric.ts';
import { checkPlanFits } from '../core/plan/plan-file.ts';
import { type PlanSummary, summarisePlan } from '../core/plan/plan-summary.ts';
import { unevenLayers, unusualCount } from '../core/plan/plan-warnings.ts';
import type { PruningPlan } from '../core/plan/pruning-plan.ts';
import { type ExpertSets, type Selection, selectExperts } from '../core/plan/selection.ts';
import { checkMeasured } from '../core/saliency/measured.ts';
import { defaultMetric, saliencyMetrics } from '../core/saliency/registry.ts';
import { type LayerScores, scoreLayers } from '../core/saliency/saliency-matrix.ts';
import type { CalibrationStatistics } from '../core/saliency/statistics-file.ts';
import { findSuperExperts } from '../core/saliency/super-experts.ts';
import { calibrationStore } from './calibration-store.ts';
import { checkpointStore } from './checkpoint-store.ts';
import { memoiseLatest } from './memoise-latest.ts';
import { planStore } from './plan-store.ts';

/** Values that follow from the stores. Each is worked out once for the same inputs and never stored. */

/** A value or why there is none, in words. */
export type Derived<Value> =
  | { readonly value: Value; readonly error: null }
  | { readonly value: null; readonly error: WireError };

export interface PresentChoice {
  /** A plan from a file holds: the slider and the options wait until it is discarded. */
  readonly isHeld: boolean;
  /** Whole per cent. */
  readonly percent: number;
  readonly metric: { readonly id: string; readonly label: string };
  readonly nextToken: PruningPlan['nextToken'];
}

/** The plan that was opened from a file, held against the open model; null without a plan or a model. */
export function heldPlan(): Derived<PruningPlan> | null {
  const { summary } = checkpointStore.getState();
  const { opened } = planStore.getState();
  return summary === null || opened === null ? null : held(opened.plan, summary);
}

/** How much goes and by which metric: what the plan that holds says, else what the slider and the options say. */
export function presentChoice(): PresentChoice {
  const plan = heldPlan()?.value ?? null;
  const { percent, metric, nextToken } = planStore.getState();
  return chosen(plan, percent, metric, nextToken);
}

/** Scores of the layers measured so far, ascending, or those of the plan that holds; empty before the first. */
export function measuredScores(): Derived<readonly LayerScores[]> {
  const plan = heldPlan()?.value ?? null;
  if (plan !== null) return scoresOfPlan(plan);
  return scored(calibrationStore.getState().statistics, planStore.getState().metric);
}

/**
 * The plan that holds, else what the slider's position means for the open model, or the sentence that refuses it. Layers
 * not measured yet take part with scores of 0: sizes are right, and which of their experts go is not yet said. Null while
 * nothing is open.
 */
export function currentSelection(): Derived<Selection> | null {
  const { summary } = checkpointStore.getState();
  const { status, statistics, statisticsHash } = calibrationStore.getState();
  const { percent, metric, protectSuperExperts, nextToken } = planStore.getState();
  if (summary === null) return null;
  const plan = heldPlan()?.value ?? null;
  if (plan !== null) return heldSelection(plan, summary);
  const scores = scored(statistics, metric);
  if (scores.value === null) return scores;
  const superExperts =
    protectSuperExperts && status === 'done' && statistics !== null ? superExpertSets(statistics) : NONE;
  if (superExperts.value === null) return superExperts;
  return selected(summary, scores.value, statistics, statisticsHash, percent, metric, superExperts.value, nextToken);
}

/** Figures of the present selection, null where there is none. */
export function currentSummary(): PlanSummary | null {
  const { summary } = checkpointStore.getState();
  const selection = currentSelection();
  if (summary === null || selection === null || selection.value === null) return null;
  return summarised(summary, selection.value.plan);
}

/**
 * The plan as it may leave the page: one from a file that fits, or of whole statistics, hashed, at a ratio that the model
 * allows. Null otherwise.
 */
export function exportablePlan(): PruningPlan | null {
  const plan = heldPlan()?.value ?? null;
  if (plan !== null) return plan;
  const { status, statisticsHash } = calibrationStore.getState();
  if (status !== 'done' || statisticsHash === null) return null;
  return currentSelection()?.value?.plan ?? null;
}

/** Calls back after any change that may change a derived value. Returns the means to stop. */
export function subscribeDerived(listener: () => void): () => void {
  const stops = [checkpointStore, calibrationStore, planStore].map((store) => store.subscribe(listener));
  return () => {
    for (const stop of stops) stop();
  };
}

const scored = memoiseLatest(
  (statistics: CalibrationStatistics | null, metricId: string): Derived<readonly LayerScores[]> => {
    if (statistics === null) return { value: [], error: null };
    return attempt(() => scoreLayers(statistics, saliencyMetrics.get(metricId) ?? defaultMetric));
  },
);

const held = memoiseLatest(
  (plan: PruningPlan, summary: CheckpointSummary): Derived<PruningPlan> =>
    attempt(() => {
      checkPlanFits(plan, summary);
      return plan;
    }),
);

const heldSelection = memoiseLatest(
  (plan: PruningPlan, { moeLayers }: CheckpointSummary): Derived<Selection> => ({
    value: { plan, warnings: [...unevenLayers(plan.layers), ...unusualCount(moeLayers, plan.layers)] },
    error: null,
  }),
);

const scoresOfPlan = memoiseLatest(({ layers }: PruningPlan): Derived<readonly LayerScores[]> => {
  const known = layers.filter(({ scores }) => scores.length > 0);
  return {
    value: known.map(({ layer, scores }) => ({ layer, scores: Float64Array.from(scores), counts: null })),
    error: null,
  };
});

const chosen = memoiseLatest(
  (plan: PruningPlan | null, percent: number, metric: string, nextToken: PruningPlan['nextToken']): PresentChoice => {
    const id = plan?.metric ?? metric;
    return {
      isHeld: plan !== null,
      percent: plan === null ? percent : Math.round(plan.ratio * 100),
      metric: { id, label: saliencyMetrics.get(id)?.label ?? (id === IMPORTED_METRIC ? 'Chosen by another tool' : id) },
      nextToken: plan?.nextToken ?? nextToken,
    };
  },
);

const superExpertSets = memoiseLatest(
  (statistics: CalibrationStatistics): Derived<ExpertSets> =>
    attempt(() => {
      checkMeasured(statistics, ['maxAbs'], 'The search for super experts');
      const sets = new Map<number, Set<number>>();
      for (const { layer, expert } of findSuperExperts(statistics.layers, 'first-three-quarters').experts) {
        sets.set(layer, (sets.get(layer) ?? new Set()).add(expert));
      }
      return sets;
    }),
);

const NONE: Derived<ExpertSets> = { value: new Map(), error: null };

const selected = memoiseLatest(
  (
    summary: CheckpointSummary,
    scores: readonly LayerScores[],
    statistics: CalibrationStatistics | null,
    statisticsHash: string | null,
    percent: number,
    metric: string,
    superExperts: ExpertSets,
    nextToken: PruningPlan['nextToken'],
  ): Derived<Selection> =>
    attempt(() => {
      const measured = new Map(scores.map((row) => [row.layer, row]));
      return selectExperts({
        model: { architecture: summary.architecture, fingerprint: summary.fingerprint, source: summary.label },
        layers: summary.moeLayers,
        scores: summary.moeLayers.map(
          ({ layer, experts }) =>
            measured.get(layer) ?? { layer, scores: new Float64Array(experts), counts: new Float64Array(experts) },
        ),
        metric,
        size: { ratio: percent / 100 },
        constraints: { superExperts },
        calibration: {
          domains: statistics?.domains ?? [],
          gate: statistics?.gate ?? 'model',
          statisticsHash,
        },
        nextToken,
      });
    }),
);

const summarised = memoiseLatest((summary: CheckpointSummary, plan: PruningPlan) => summarisePlan(summary, plan));

function attempt<Value>(compute: () => Value): Derived<Value> {
  try {
    return { value: compute(), error: null };
  } catch (error) {
    return { value: null, error: toWireError(error) };
  }
}
