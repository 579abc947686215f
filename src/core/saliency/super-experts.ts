import type { LayerStatistics } from './layer-statistics.ts';

export interface SuperExpert {
  /** The model's own layer index. */
  readonly layer: number;
  readonly expert: number;
  readonly maxAbs: number;
}

export interface SuperExperts {
  /** An expert is super when its largest absolute activation is above this. */
  readonly threshold: number;
  /** Ascending by layer, then by expert. */
  readonly experts: readonly SuperExpert[];
}

/** Super experts sit early in a model: the last quarter of its layers is left out unless `all` is asked for. */
export type SuperExpertScope = 'first-three-quarters' | 'all';

const PERCENTILE = 0.995;
const SHARE_OF_LARGEST = 10;

/**
 * Experts whose output holds rare extreme outliers; removing a handful of them breaks a model. An expert is super when
 * its maxAbs is strictly above max(P99.5, largest / 10), P99.5 by linear interpolation over all experts of all layers
 * whatever the scope, which is the first floor(0.75 × L) of the L layers given.
 * Source: CerebrasResearch/reap at 1970473 with the absolute maximum of arXiv 2507.23279. Layers keep the model's own
 * index and may differ in size.
 *
 * @param layers all layers with experts, ascending; maxima are taken over their domains.
 */
export function findSuperExperts(layers: readonly LayerStatistics[], scope: SuperExpertScope): SuperExperts {
  const maxima = layers.map(largestOverDomains);
  const sorted = Float64Array.from(maxima.flatMap((values) => [...values])).sort();
  const largest = sorted[sorted.length - 1] ?? 0;
  const threshold = Math.max(interpolated(sorted, PERCENTILE), largest / SHARE_OF_LARGEST);

  const inScope = scope === 'all' ? layers.length : Math.floor(0.75 * layers.length);
  const experts: SuperExpert[] = [];
  for (const [row, { layer }] of layers.slice(0, inScope).entries()) {
    for (const [expert, maxAbs] of (maxima[row] ?? []).entries()) {
      if (maxAbs > threshold) experts.push({ layer, expert, maxAbs });
    }
  }
  return { threshold, experts };
}

function largestOverDomains({ experts, domains }: LayerStatistics): Float64Array {
  const largest = new Float64Array(experts);
  for (const { maxAbs } of domains) {
    for (let expert = 0; expert < experts; expert++) {
      largest[expert] = Math.max(largest[expert] ?? 0, maxAbs[expert] ?? 0);
    }
  }
  return largest;
}

/** The quantile of ascending values, linear between its two neighbours; 0 of no values. */
function interpolated(sorted: Float64Array, quantile: number): number {
  const position = quantile * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] ?? 0;
  const high = sorted[below + 1] ?? low;
  return low + (high - low) * (position - below);
}
