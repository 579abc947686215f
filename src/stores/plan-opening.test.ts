import { beforeEach, describe, expect, it } from 'vitest';
import { serialisePlan } from '../core/plan/plan-file.ts';
import type { PruningPlan } from '../core/plan/pruning-plan.ts';
import { serialiseStatistics } from '../core/saliency/statistics-file.ts';
import { calibrationStore, clearCalibration } from './calibration-store.ts';
import { testLayer, testStatistics, testSummary } from './checkpoint.fixture.ts';
import { checkpointStore } from './checkpoint-store.ts';
import {
  currentSelection,
  currentSummary,
  exportablePlan,
  heldPlan,
  measuredScores,
  presentChoice,
} from './derived.ts';
import { openChosenPlan, openPlanFile } from './plan-opening.ts';
import { originStore } from './plan-origin.ts';
import { discardPlan, planStore } from './plan-store.ts';

const FINGERPRINT = 'f'.repeat(64);
const summary = { ...testSummary, fingerprint: FINGERPRINT };
const measured = {
  ...testStatistics(testLayer(0, [3, 1, 2, 4]), testLayer(1, [1, 2, 3, 4])),
  model: { architecture: 'qwen3-moe', fingerprint: FINGERPRINT, source: 'tiny' },
  domains: [{ name: 'python', tokens: 120, sequences: 1, hash: 'a'.repeat(64) }],
};

const fileOf = (name: string, text: string) => new File([text], name);
const opened = () => planStore.getState().opened;

/** The plan of `measured` at a half. */
function madePlan(): PruningPlan {
  calibrationStore.setState({ status: 'done', statistics: measured, statisticsHash: 'b'.repeat(64) });
  planStore.setState({ percent: 50 });
  const plan = exportablePlan();
  clearCalibration();
  planStore.setState(planStore.getInitialState(), true);
  if (plan === null) throw new Error('no plan');
  return plan;
}

beforeEach(() => {
  clearCalibration();
  planStore.setState(planStore.getInitialState(), true);
  checkpointStore.setState({ summary, refusal: null });
});

describe('a plan', () => {
  it('holds for its model, whatever the slider says, until it is discarded', async () => {
    const plan = madePlan();
    expect(await openPlanFile(fileOf('half.plan.json', serialisePlan(plan)))).toBe(true);
    planStore.setState({ percent: 0, metric: 'frequency' });
    expect(presentChoice()).toEqual({
      isHeld: true,
      percent: 50,
      metric: { id: 'reap', label: 'REAP' },
      nextToken: 'prune',
    });
    expect(serialisePlan(exportablePlan() ?? { ...plan, layers: [] })).toBe(serialisePlan(plan));
    expect(measuredScores().value?.map(({ scores, counts }) => [[...scores], counts])).toEqual([
      [[3, 1, 2, 4], null],
      [[1, 2, 3, 4], null],
    ]);
    expect(currentSummary()?.expertsPerLayer.after).toEqual({ min: 2, max: 2 });
    expect(currentSelection()).toBe(currentSelection());
    discardPlan();
    expect(exportablePlan()).toBeNull();
    expect(presentChoice()).toMatchObject({ isHeld: false, percent: 0, metric: { id: 'frequency' } });
  });

  it('waits for its model, and says when another one is open', async () => {
    const text = serialisePlan(madePlan());
    checkpointStore.setState({ summary: null });
    await openPlanFile(fileOf('half.json', text));
    expect([opened()?.name, heldPlan(), currentSelection()]).toEqual(['half.json', null, null]);
    checkpointStore.setState({ summary: { ...summary, fingerprint: 'e'.repeat(64) } });
    expect(heldPlan()?.error?.code).toBe('other-model');
    expect(presentChoice().isHeld).toBe(false);
    expect(currentSelection()?.value?.plan.ratio).toBe(0.25);
    checkpointStore.setState({ summary });
    expect(presentChoice()).toMatchObject({ isHeld: true, percent: 50 });
  });

  it('that does not fit the open model leaves what holds alone', async () => {
    const plan = madePlan();
    await openPlanFile(fileOf('a.plan.json', serialisePlan(plan)));
    const other = { ...plan, model: { ...plan.model, fingerprint: 'd'.repeat(64) } };
    await openPlanFile(fileOf('b.plan.json', serialisePlan(other)));
    expect([opened()?.name, planStore.getState().refusal?.code]).toEqual(['a.plan.json', 'other-model']);
    await openPlanFile(fileOf('c.plan.json', '{'));
    expect(planStore.getState().refusal?.code).toBe('not-json');
  });
});

describe('statistics', () => {
  const text = serialiseStatistics(measured);

  it('stand for a finished calibration', async () => {
    await openPlanFile(fileOf('x.stats.json', text));
    expect(calibrationStore.getState()).toMatchObject({ status: 'done', statistics: measured });
    expect(calibrationStore.getState().notes[0]).toContain('x.stats.json');
    expect(originStore.getState().statisticsFile).toBe('x.stats.json');
    planStore.setState({ percent: 50 });
    expect(exportablePlan()?.layers.map(({ drop }) => drop)).toEqual([
      [1, 2],
      [0, 1],
    ]);
  });

  it('of another model, or of some layers, are refused; so are any before the model or during a run', async () => {
    const codes = async (content: string) => {
      await openPlanFile(fileOf('x.stats.json', content));
      return planStore.getState().refusal?.code ?? checkpointStore.getState().refusal?.code;
    };
    expect(await codes(text.replaceAll(FINGERPRINT, 'e'.repeat(64)))).toBe('other-model');
    expect(await codes(serialiseStatistics({ ...measured, layers: measured.layers.slice(1) }))).toBe(
      'incomplete-layers',
    );
    calibrationStore.setState({ status: 'running' });
    expect(await codes(text)).toBe('busy');
    clearCalibration();
    planStore.setState({ refusal: null });
    checkpointStore.setState({ summary: null });
    expect(await codes(text)).toBe('no-model');
  });
});

describe('files of other tools', () => {
  it('become a plan that holds, with what is known of it', async () => {
    await openPlanFile(fileOf('kept.json', '[[0, 1], [2, 3]]'));
    expect(opened()?.plan.layers.map(({ keep }) => keep)).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(opened()?.notes).toHaveLength(1);
    expect(measuredScores().value).toEqual([]);
    expect(presentChoice().metric).toEqual({ id: 'imported', label: 'Chosen by another tool' });
    expect(currentSummary()?.saliencyKept).toBeNull();
  });

  it('that lack what a metric needs are refused in its place', async () => {
    const lacking = { ...measured, imported: { tool: 'a tool', lacks: ['maxAbs'] as const } };
    await openPlanFile(fileOf('x.stats.json', serialiseStatistics(lacking)));
    planStore.setState({ protectSuperExperts: true });
    expect(currentSelection()?.error?.code).toBe('not-measured');
    planStore.setState({ protectSuperExperts: false, metric: 'max-activation' });
    expect(currentSelection()?.error?.code).toBe('not-measured');
    planStore.setState({ metric: 'reap' });
    expect(currentSelection()?.error).toBeNull();
  });
});

it('leaves other files to whoever knows them, and refuses them where a plan was asked for', async () => {
  const file = fileOf('x.json', '{"format": "reap-studio/descriptor"}');
  expect(await openPlanFile(file)).toBe(false);
  expect(planStore.getState().refusal).toBeNull();
  await openChosenPlan(file);
  expect(planStore.getState().refusal?.code).toBe('wrong-format');
});
