import { toWireError, type WireError } from '../core/base/errors.ts';
import type { CheckpointSummary } from '../core/checkpoint/summary.ts';
import { type PlanSummary, summarisePlan } from '../core/plan/plan-summary.ts';
import type { PruningPlan } from '../core/plan/pruning-plan.ts';
import { type ExpertSets, type Selection, selectExperts } from '../core/plan/selection.ts';
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

/** Scores of the layers measured so far, ascending; empty before the first. */
export function measuredScores(): Derived<readonly LayerScores[]> {
  return scored(calibrationStore.getState().statistics, planStore.getState().metric);
}

/**
 * What the slider's position means for the open model, or the sentence that refuses it. Layers not measured yet take
 * part with scores of 0: sizes are right, and which of their experts go is not yet said. Null while nothing is open.
 */
export function currentSelection(): Derived<Selection> | null {
  const { summary } = checkpointStore.getState();
  const { status, statistics, statisticsHash } = calibrationStore.getState();
  const { percent, metric, protectSuperExperts, nextToken } = planStore.getState();
  if (summary === null) return null;
  const scores = scored(statistics, metric);
  if (scores.value === null) return scores;
  const superExperts =
    protectSuperExperts && status === 'done' && statistics !== null ? superExpertSets(statistics) : null;
  return selected(summary, scores.value, statistics, statisticsHash, percent, metric, superExperts, nextToken);
}

/** Figures of the present selection, null where there is none. */
export function currentSummary(): PlanSummary | null {
  const { summary } = checkpointStore.getState();
  const selection = currentSelection();
  if (summary === null || selection === null || selection.value === null) return null;
  return summarised(summary, selection.value.plan);
}

/** The plan as it may leave the page: whole statistics, hashed, and a ratio that the model allows. Null otherwise. */
export function exportablePlan(): PruningPlan | null {
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

const superExpertSets = memoiseLatest((statistics: CalibrationStatistics): ExpertSets => {
  const sets = new Map<number, Set<number>>();
  for (const { layer, expert } of findSuperExperts(statistics.layers, 'first-three-quarters').experts) {
    sets.set(layer, (sets.get(layer) ?? new Set()).add(expert));
  }
  return sets;
});

const selected = memoiseLatest(
  (
    summary: CheckpointSummary,
    scores: readonly LayerScores[],
    statistics: CalibrationStatistics | null,
    statisticsHash: string | null,
    percent: number,
    metric: string,
    superExperts: ExpertSets | null,
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
        ...(superExperts === null ? {} : { constraints: { superExperts } }),
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
