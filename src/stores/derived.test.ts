import { beforeEach, expect, it } from 'vitest';
import { calibrationStore, clearCalibration } from './calibration-store.ts';
import { testLayer, testStatistics, testSummary } from './checkpoint.fixture.ts';
import { checkpointStore } from './checkpoint-store.ts';
import { currentSelection, currentSummary, exportablePlan, measuredScores, subscribeDerived } from './derived.ts';
import { planStore } from './plan-store.ts';

beforeEach(() => {
  clearCalibration();
  checkpointStore.setState({ summary: testSummary });
  planStore.setState({ percent: 50, metric: 'reap', protectSuperExperts: false, nextToken: 'prune' });
});

it('gives sizes before anything is measured, and no saliency', () => {
  expect(currentSummary()?.expertsPerLayer.after).toEqual({ min: 2, max: 2 });
  expect(currentSummary()?.bytes).toEqual({ before: 4000, after: 4000 - 4 * 216 });
  expect(currentSummary()?.saliencyKept).toBeNull();
  expect(exportablePlan()).toBeNull();
});

it('plans the measured layers while others are still to come, for the picture only', () => {
  calibrationStore.setState({ status: 'running', statistics: testStatistics(testLayer(0, [3, 1, 2, 4])) });
  expect(currentSelection()?.value?.plan.layers[0]?.drop).toEqual([1, 2]);
  expect(exportablePlan()).toBeNull();
});

it('lets a plan leave only when the statistics are whole and hashed', () => {
  const statistics = testStatistics(testLayer(0, [3, 1, 2, 4]), testLayer(1, [1, 2, 3, 4]));
  calibrationStore.setState({ status: 'done', statistics });
  expect(exportablePlan()).toBeNull();
  calibrationStore.setState({ statisticsHash: 'abc' });
  const plan = exportablePlan();
  expect(plan?.layers.map(({ drop }) => drop)).toEqual([
    [1, 2],
    [0, 1],
  ]);
  expect(plan?.calibration.statisticsHash).toBe('abc');
});

it('says in the plan what becomes of layers for further tokens', () => {
  expect(currentSelection()?.value?.plan.nextToken).toBe('prune');
  planStore.setState({ nextToken: 'drop' });
  expect(currentSelection()?.value?.plan.nextToken).toBe('drop');
});

it('refuses a ratio below top-k in words and recovers', () => {
  planStore.setState({ percent: 75 });
  expect(currentSelection()?.error?.code).toBe('fewer-than-top-k');
  expect(currentSummary()).toBeNull();
  planStore.setState({ percent: 50 });
  expect(currentSelection()?.error).toBeNull();
});

it('gives the same object until an input changes', () => {
  calibrationStore.setState({ statistics: testStatistics(testLayer(0, [3, 1, 2, 4])) });
  const [selection, summary, scores] = [currentSelection(), currentSummary(), measuredScores()];
  expect(currentSelection()).toBe(selection);
  expect(currentSummary()).toBe(summary);
  planStore.setState({ percent: 25 });
  expect(currentSelection()).not.toBe(selection);
  expect(measuredScores()).toBe(scores);
});

it('keeps a refused metric stable too: a new object on every look would draw for ever', () => {
  calibrationStore.setState({ statistics: testStatistics(testLayer(0, [Number.NaN, 1, 2, 4])) });
  expect(currentSelection()?.error?.code).toBe('non-finite-scores');
  expect(currentSelection()).toBe(currentSelection());
});

it('calls back on changes until stopped', () => {
  let calls = 0;
  const stop = subscribeDerived(() => calls++);
  planStore.setState({ percent: 25 });
  stop();
  planStore.setState({ percent: 30 });
  expect(calls).toBe(1);
});
