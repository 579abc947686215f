import { createStore } from 'zustand/vanilla';
import type { PruningPlan } from '../core/plan/pruning-plan.ts';
import { defaultMetric } from '../core/saliency/registry.ts';

interface PlanState {
  /** Whole per cent of each layer's experts that go, 0 to 90. */
  readonly percent: number;
  /** Id of a saliency metric. */
  readonly metric: string;
  /** Keep super experts whatever they score. */
  readonly protectSuperExperts: boolean;
  /** What becomes of layers that predict further tokens, where the model has them. */
  readonly nextToken: PruningPlan['nextToken'];
}

export const planStore = createStore<PlanState>(() => ({
  percent: 25,
  metric: defaultMetric.id,
  protectSuperExperts: false,
  nextToken: 'prune',
}));
