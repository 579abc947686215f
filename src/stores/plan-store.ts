import { createStore } from 'zustand/vanilla';
import { defaultMetric } from '../core/saliency/registry.ts';

interface PlanState {
  /** Whole per cent of each layer's experts that go, 0 to 90. */
  readonly percent: number;
  /** Id of a saliency metric. */
  readonly metric: string;
  /** Keep super experts whatever they score. */
  readonly protectSuperExperts: boolean;
}

export const planStore = createStore<PlanState>(() => ({
  percent: 25,
  metric: defaultMetric.id,
  protectSuperExperts: false,
}));
