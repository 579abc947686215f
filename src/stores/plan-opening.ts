import { StudioError, toWireError } from '../core/base/errors.ts';
import type { CheckpointSummary } from '../core/checkpoint/summary.ts';
import type { CalibrationStatistics } from '../core/saliency/statistics-file.ts';
import { calibrationStore, clearCalibration } from './calibration-store.ts';
import { refuse, whyBusy } from './checkpoint-actions.ts';
import { checkpointStore } from './checkpoint-store.ts';

import { noteStatisticsFile } from './plan-origin.ts';
import { planStore } from './plan-store.ts';

/** Beyond this a text is neither a plan nor statistics. */
const MOST_BYTES = 256 * 2 ** 20;

/**
 * Takes a plan, statistics, or a file of another tool, whatever its name. False when it is none of these: nothing was
 * done then. A refusal is shown beside the plan, or on the first screen while no model is open.
 */
export async function openPlanFile(file: File): Promise<boolean> {
  try {
    return await open(file);
  } catch (error) {
    if (checkpointStore.getState().summary === null) refuse(error);
    else planStore.setState({ refusal: toWireError(error) });
    return true;
  }
}

/** The same for a file that was chosen as a plan: one that is none is refused. */
export async function openChosenPlan(file: File): Promise<void> {
  if (await openPlanFile(file)) return;
  const error = new StudioError('plan', 'wrong-format', `"${file.name}" is neither a plan nor statistics.`, {
    nextStep: 'Choose a *.plan.json or *.stats.json, an observer file (.pt), expert_stats.json, or retained experts.',
    details: { file: file.name },
  });
  planStore.setState({ refusal: toWireError(error) });
}

async function open(file: File): Promise<boolean> {
  const { isImportable, isTorchFileName } = await import('../core/imports/read-import.ts');
  if (isTorchFileName(file.name)) return importFile(file);
  if (file.size > MOST_BYTES) return false;
  const text = await file.text();
  const json = parseOrNull(text);
  if (file.name.endsWith('.plan.json') || formatOf(json) === 'reap-studio/plan') return openPlan(file.name, text);
  if (file.name.endsWith('.stats.json') || formatOf(json) === 'reap-studio/statistics') {
    const { parseStatistics } = await import('../core/saliency/statistics-file.ts');
    await openStatistics(file.name, parseStatistics(text), []);
    return true;
  }
  return isImportable(json) ? importFile(file) : false;
}

async function openPlan(name: string, text: string): Promise<true> {
  const { parsePlan, checkPlanFits } = await import('../core/plan/plan-file.ts');
  const plan = parsePlan(text);
  const { summary } = checkpointStore.getState();
  if (summary !== null) checkPlanFits(plan, summary);
  planStore.setState({ opened: { name, plan, notes: [] }, refusal: null });
  return true;
}

async function importFile(file: File): Promise<true> {
  const summary = requireModel(file.name);
  const [{ readImport }, { BlobSource }] = await Promise.all([
    import('../core/imports/read-import.ts'),
    import('../core/bytes/blob-source.ts'),
  ]);
  const imported = await readImport(new BlobSource(file, file.name), summary);
  if (imported.kind === 'plan') {
    planStore.setState({ opened: { name: file.name, plan: imported.plan, notes: imported.notes }, refusal: null });
  } else {
    await openStatistics(file.name, imported.statistics, imported.notes);
  }
  return true;
}

/** Takes statistics for those of a finished calibration: the map fills and the slider chooses by them. */
async function openStatistics(
  name: string,
  statistics: CalibrationStatistics,
  notes: readonly string[],
): Promise<void> {
  const summary = requireModel(name);
  const busy = whyBusy();
  if (busy !== null) throw busy;
  const [{ checkStatisticsFit }, { serialiseStatistics }, { hashText }] = await Promise.all([
    import('../core/plan/statistics-fit.ts'),
    import('../core/saliency/statistics-file.ts'),
    import('../core/saliency/hash-text.ts'),
  ]);
  checkStatisticsFit(statistics, summary);
  const statisticsHash = await hashText(serialiseStatistics(statistics));
  clearCalibration();
  const origin = `Opened from ${name}; nothing was measured here.`;
  calibrationStore.setState({ status: 'done', statistics, statisticsHash, notes: [origin, ...notes] });
  noteStatisticsFile(name);
  planStore.setState({ refusal: null });
}

function requireModel(name: string): CheckpointSummary {
  const { summary } = checkpointStore.getState();
  if (summary !== null) return summary;
  throw new StudioError('usage', 'no-model', `"${name}" can be opened once the model that it is about is open.`, {
    nextStep: 'Open the model first, then drop this file again.',
  });
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function formatOf(json: unknown): unknown {
  return typeof json === 'object' && json !== null && Object.hasOwn(json, 'format')
    ? Reflect.get(json, 'format')
    : null;
}
