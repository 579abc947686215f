import { createStore } from 'zustand/vanilla';
import { calibrationStore } from './calibration-store.ts';
import { corpusStore } from './corpus-store.ts';

/** The text and settings of a run, as they were when it started. */
export type RunSettings = ReturnType<typeof corpusStore.getState>;

interface PlanOrigin {
  /** File that the page's statistics were opened from; null when they were measured here. */
  readonly statisticsFile: string | null;
  readonly run: RunSettings | null;
}

/** Where the page's statistics come from, for whoever repeats the work elsewhere. */
export const originStore = createStore<PlanOrigin>(() => ({ statisticsFile: null, run: null }));

export function noteStatisticsFile(statisticsFile: string): void {
  originStore.setState({ statisticsFile, run: null });
}

calibrationStore.subscribe(({ status }, before) => {
  if (status !== 'starting' || before.status === 'starting') return;
  originStore.setState({ statisticsFile: null, run: corpusStore.getState() });
});
