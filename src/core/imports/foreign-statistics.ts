import type { StatisticField } from '../saliency/layer-statistics.ts';
import type { GateMode } from '../saliency/statistics-file.ts';

/** What another tool measured of one layer, as sums over the tokens routed to each expert. */
export interface ForeignLayer {
  /** As the file numbers it: the model's own layer, or its place among the layers with experts. */
  readonly number: number;
  readonly tokens: number;
  /** [E] each; what is missing is in `lacks` of the file. */
  readonly sums: ReadonlyMap<StatisticField, Float64Array>;
}

/** Statistics of another tool, not yet held against a model. */
export interface ForeignStatistics {
  readonly tool: string;
  readonly gate: GateMode;
  readonly layers: readonly ForeignLayer[];
  /** Arrays that the tool does not measure. */
  readonly lacks: readonly StatisticField[];
  /** What was understood and what is missing, a sentence each. */
  readonly notes: readonly string[];
}

/** mean[e] × count[e]: means become sums, which add up. */
export function sumsOf(means: ArrayLike<number>, counts: ArrayLike<number>): Float64Array {
  return Float64Array.from(counts, (count, expert) => (means[expert] ?? 0) * count);
}
