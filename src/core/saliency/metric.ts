import type { DomainStatistics, StatisticField } from './layer-statistics.ts';

/** A way to score experts: the least score goes first. One metric = one file = one row of `registry.ts`. */
export interface SaliencyMetric {
  readonly id: string;
  /** Short name for the "Metric" combobox. */
  readonly label: string;
  /** One sentence: what it measures. */
  readonly description: string;
  /** The formula as text, for read-outs. */
  readonly formula: string;
  /** The arrays that the scores are made of: statistics of another tool may lack some. */
  readonly reads: readonly StatisticField[];
  /** Scores [E] of one layer from statistics already combined over the domains. An expert never chosen scores 0. Finite, >= 0. */
  score(statistics: DomainStatistics): Float64Array;
}
