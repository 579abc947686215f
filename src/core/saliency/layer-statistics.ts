/**
 * What calibration measures, per Mixture-of-Experts layer and domain: sums in f64 and counts, never means. They add up:
 * two runs over disjoint sequences merge to the run over both, a domain can be re-weighted afterwards, and nothing
 * depends on how tokens were split into blocks (beyond the rounding of f64 sums).
 *
 * With y = expert output before the gate, n = L2 norm of y, g = gate, over the tokens routed to expert e:
 * count = N, normSum = Σn, gateSum = Σg, gateNormSum = Σgn, gateNormSquaredSum = Σ(gn)², maxAbs = max |y[h]|.
 * Source: the formulas of REAP (arXiv 2510.13999).
 */
export interface DomainStatistics {
  /** Tokens of this domain that passed the layer, routed anywhere. */
  tokens: number;
  /** [E], whole numbers. Σ count = tokens × topK, less with identity experts. */
  readonly count: Float64Array;
  readonly normSum: Float64Array;
  readonly gateSum: Float64Array;
  readonly gateNormSum: Float64Array;
  readonly gateNormSquaredSum: Float64Array;
  /** [E], 0 for an expert that was never chosen. */
  readonly maxAbs: Float64Array;
}

export interface LayerStatistics {
  /** The model's own layer index, not an ordinal among the layers with experts. */
  readonly layer: number;
  readonly experts: number;
  readonly topK: number;
  /** Contiguous groups that the router chooses from, so that a plan can be made from statistics alone. Absent: none. */
  readonly groups?: { readonly count: number; readonly chosen: number; readonly least: number } | undefined;
  /** Choices of the router that stand for no expert (LongCat): what goes there is counted nowhere. Absent: none. */
  readonly identityExperts?: number | undefined;
  /** In the order of the run's domains. */
  readonly domains: readonly DomainStatistics[];
}

/** Names the arrays of DomainStatistics, for code that treats all alike. */
export const STATISTIC_FIELDS = ['count', 'normSum', 'gateSum', 'gateNormSum', 'gateNormSquaredSum', 'maxAbs'] as const;

export type StatisticField = (typeof STATISTIC_FIELDS)[number];

/** Statistics of no token at all, for `experts` experts. */
export function emptyDomainStatistics(experts: number): DomainStatistics {
  return {
    tokens: 0,
    count: new Float64Array(experts),
    normSum: new Float64Array(experts),
    gateSum: new Float64Array(experts),
    gateNormSum: new Float64Array(experts),
    gateNormSquaredSum: new Float64Array(experts),
    maxAbs: new Float64Array(experts),
  };
}

/** Adds `from` into `into`, weighted: sums and counts times `weight`, maxima by maximum (when weight > 0). Both have E experts. */
export function addDomainStatistics(into: DomainStatistics, from: DomainStatistics, weight = 1): void {
  if (weight === 0) return;
  into.tokens += from.tokens * weight;
  for (const field of STATISTIC_FIELDS) {
    const target = into[field];
    const source = from[field];
    for (let expert = 0; expert < target.length; expert++) {
      const value = source[expert] ?? 0;
      target[expert] =
        field === 'maxAbs' ? Math.max(target[expert] ?? 0, value) : (target[expert] ?? 0) + value * weight;
    }
  }
}

/** One DomainStatistics over all domains of a layer; `weights` (one a domain) defaults to 1 each. */
export function combineDomains(layer: LayerStatistics, weights?: readonly number[]): DomainStatistics {
  const total = emptyDomainStatistics(layer.experts);
  layer.domains.forEach((domain, index) => {
    addDomainStatistics(total, domain, weights === undefined ? 1 : (weights[index] ?? 0));
  });
  return total;
}
