import type { MoeLayerSummary } from '../../core/checkpoint/summary.ts';
import type { LayerPlan } from '../../core/plan/pruning-plan.ts';
import type { SaliencyMetric } from '../../core/saliency/metric.ts';
import type { LayerScores } from '../../core/saliency/saliency-matrix.ts';
import { formatMeasure, formatWhole } from '../../ui/number-format.ts';
import { ranks } from './heatmap-levels.ts';

interface CellContext {
  readonly layer: MoeLayerSummary;
  readonly expert: number;
  readonly metric: Pick<SaliencyMetric, 'label'>;
  readonly scores: LayerScores | undefined;
  readonly plan: LayerPlan | undefined;
  /** The plan is from a file, and says what goes whatever is measured. */
  readonly isHeld: boolean;
}

/** A cell in words: which expert, its score and rank, its tokens, and whether it stays. */
export function cellWords({ layer, expert, metric, scores, plan, isHeld }: CellContext): string {
  const name = `Layer ${layer.layer}, expert ${expert}`;
  const goes = plan?.drop.includes(expert) === true ? 'cut' : 'kept';
  if (scores === undefined) return isHeld ? `${name}: ${goes} by the plan, no score` : `${name}: not measured yet`;
  const score = `${metric.label} ${formatMeasure(scores.scores[expert] ?? 0)}`;
  const rank = `rank ${ranks(scores.scores)[expert] ?? 0} of ${layer.experts}`;
  const tokens = scores.counts === null ? '' : `, ${formatWhole(scores.counts[expert] ?? 0)} tokens`;
  const fate = plan === undefined ? '' : `, ${goes}`;
  return `${name}: ${score}, ${rank}${tokens}${fate}`;
}
