import type { MoeLayerSummary } from '../../core/checkpoint/summary.ts';
import type { LayerPlan } from '../../core/plan/pruning-plan.ts';
import type { SaliencyMetric } from '../../core/saliency/metric.ts';
import type { LayerScores } from '../../core/saliency/saliency-matrix.ts';
import { formatMeasure, formatWhole } from '../../ui/number-format.ts';
import { ranks } from './heatmap-levels.ts';

interface CellContext {
  readonly layer: MoeLayerSummary;
  readonly expert: number;
  readonly metric: SaliencyMetric;
  readonly scores: LayerScores | undefined;
  readonly plan: LayerPlan | undefined;
}

/** A cell in words: which expert, its score and rank, its tokens, and whether it stays. */
export function cellWords({ layer, expert, metric, scores, plan }: CellContext): string {
  const name = `Layer ${layer.layer}, expert ${expert}`;
  if (scores === undefined) return `${name}: not measured yet`;
  const score = `${metric.label} ${formatMeasure(scores.scores[expert] ?? 0)}`;
  const rank = `rank ${ranks(scores.scores)[expert] ?? 0} of ${layer.experts}`;
  const tokens = `${formatWhole(scores.counts[expert] ?? 0)} tokens`;
  const fate = plan === undefined ? '' : plan.drop.includes(expert) ? ', cut' : ', kept';
  return `${name}: ${score}, ${rank}, ${tokens}${fate}`;
}
