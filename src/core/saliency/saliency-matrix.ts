import { StudioError } from '../base/errors.ts';
import { combineDomains } from './layer-statistics.ts';
import { checkMeasured } from './measured.ts';
import type { SaliencyMetric } from './metric.ts';
import type { CalibrationStatistics } from './statistics-file.ts';

/** One row of the heatmap. */
export interface LayerScores {
  /** The model's own layer index. */
  readonly layer: number;
  /** [E], finite, >= 0; the least goes first. */
  readonly scores: Float64Array;
  /** [E] tokens routed to each expert, weighted like the scores; null where only a plan's scores are known. */
  readonly counts: Float64Array | null;
}

/**
 * Scores every layer that the statistics hold, in their order. Domains add up before a metric divides, so a mean stays
 * the mean over tokens: S = Σ_d α_d Σgn / Σ_d α_d N.
 *
 * @param domainWeights one α a domain, in the order of `statistics.domains`; 1 each when left out.
 * @throws StudioError calibration/not-measured when the statistics are imported and lack what the metric reads.
 * @throws StudioError calibration/domain-weights when they are not one finite number >= 0 a domain, or all 0.
 * @throws StudioError calibration/non-finite-scores naming layer and expert.
 */
export function scoreLayers(
  statistics: CalibrationStatistics,
  metric: SaliencyMetric,
  domainWeights?: readonly number[],
): LayerScores[] {
  checkMeasured(statistics, metric.reads, metric.label);
  if (domainWeights !== undefined) checkWeights(domainWeights, statistics.domains.length);
  return statistics.layers.map((layer) => {
    const combined = combineDomains(layer, domainWeights);
    const scores = metric.score(combined);
    const stray = scores.findIndex((score) => !Number.isFinite(score));
    if (stray >= 0) throw nonFinite(layer.layer, stray, metric.label);
    return { layer: layer.layer, scores, counts: combined.count };
  });
}

function checkWeights(weights: readonly number[], domains: number): void {
  const sound =
    weights.every((weight) => Number.isFinite(weight) && weight >= 0) && weights.some((weight) => weight > 0);
  if (weights.length === domains && sound) return;
  throw new StudioError(
    'calibration',
    'domain-weights',
    `The domain weights [${weights.join(', ')}] do not fit ${domains} domains.`,
    { nextStep: 'Give each domain one number of 0 or more, and at least one of them above 0.', details: { domains } },
  );
}

function nonFinite(layer: number, expert: number, label: string): StudioError {
  return new StudioError(
    'calibration',
    'non-finite-scores',
    `The ${label} score of expert ${expert} in layer ${layer} is not a finite number.`,
    {
      nextStep: 'Calibrate again on another backend, or choose another metric; a score like this cannot be ranked.',
      details: { layer, expert },
    },
  );
}
