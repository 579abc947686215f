import { createStore } from 'zustand/vanilla';
import type { WireError } from '../core/base/errors.ts';
import type { PruningPlan } from '../core/plan/pruning-plan.ts';
import { defaultMetric } from '../core/saliency/registry.ts';

/** A plan from a file. It holds for the model that it fits until it is discarded; without one, it waits. */
export interface OpenedPlan {
  /** The file's name. */
  readonly name: string;
  readonly plan: PruningPlan;
  /** What was understood of another tool's file, a sentence each. */
  readonly notes: readonly string[];
}

interface PlanState {
  /** Whole per cent of each layer's experts that go, 0 to 90. */
  readonly percent: number;
  /** Id of a saliency metric. */
  readonly metric: string;
  /** Keep super experts whatever they score. */
  readonly protectSuperExperts: boolean;
  /** What becomes of layers that predict further tokens, where the model has them. */
  readonly nextToken: PruningPlan['nextToken'];
  readonly opened: OpenedPlan | null;
  /** Why the file that was given last could not be taken. */
  readonly refusal: WireError | null;
}

export const planStore = createStore<PlanState>(() => ({
  percent: 25,
  metric: defaultMetric.id,
  protectSuperExperts: false,
  nextToken: 'prune',
  opened: null,
  refusal: null,
}));

export function forgetRefusal(): void {
  planStore.setState({ refusal: null });
}

/** Goes back to what the slider says. */
export function discardPlan(): void {
  planStore.setState({ opened: null });
}
