import type { CheckpointSummary } from '../../core/checkpoint/summary.ts';
import type { OpenedPlan } from '../../stores/plan-store.ts';
import { formatPercent } from '../../ui/number-format.ts';

/** How an opened plan stands: it holds for the open model, or waits for the one that it is for. */
export function planWords({ name, plan }: OpenedPlan, model: CheckpointSummary | null): string {
  if (model !== null) {
    return `Plan from ${name}, ${formatPercent(plan.ratio)}. The slider waits until you discard it.`;
  }
  const experts = [...new Set(plan.layers.map((layer) => layer.experts))].join(' or ');
  const layers = plan.layers.length === 1 ? 'one layer' : `${plan.layers.length} layers`;
  return `Plan from ${name} waits for its model: open “${plan.model.source}” (${plan.model.architecture}, ${layers} of ${experts} experts).`;
}
