import { downloadBlob, safeFileName } from '../client/download.ts';
import { StudioError, toWireError } from '../core/base/errors.ts';
import type { PruningPlan } from '../core/plan/pruning-plan.ts';
import type { ExportDestination, ExportEvent } from '../core/protocol/export-protocol.ts';
import { calibrationStore } from './calibration-store.ts';
import { checkpointStore } from './checkpoint-store.ts';
import { exportablePlan } from './derived.ts';
import { exportStore, IDLE_EXPORT, isExporting } from './export-store.ts';

const client = () => import('../client/export-client.ts');

/** Downloads {model}.plan.json. A refusal goes to the export store. */
export async function exportPlan(): Promise<void> {
  await orShow(async () => {
    const plan = requirePlan();
    const { serialisePlan } = await import('../core/plan/plan-file.ts');
    saveJson(`${safeFileName(plan.model.source)}.plan.json`, serialisePlan(plan));
  });
}

/** Downloads {model}.stats.json. */
export async function exportStatistics(): Promise<void> {
  await orShow(async () => {
    const { status, statistics } = calibrationStore.getState();
    if (status !== 'done' || statistics === null) throw notCalibrated();
    const { serialiseStatistics } = await import('../core/saliency/statistics-file.ts');
    saveJson(`${safeFileName(statistics.model.source)}.stats.json`, serialiseStatistics(statistics));
  });
}

/** Writes the pruned model; a zip is handed to the browser as soon as it is whole. */
export async function exportModel(destination: ExportDestination): Promise<void> {
  const { source } = checkpointStore.getState();
  if (source === null || isExporting(exportStore.getState().status)) return;
  await orShow(async () => {
    const plan = requirePlan();
    exportStore.setState({ ...IDLE_EXPORT, status: 'running' }, true);
    const [{ serialisePlan }, { runExport }] = await Promise.all([import('../core/plan/plan-file.ts'), client()]);
    const request = { source: source.spec, planJson: serialisePlan(plan), destination };
    await runExport(request, (event) => applyEvent(event, destination));
  });
}

export async function cancelExport(): Promise<void> {
  if (exportStore.getState().status !== 'running') return;
  exportStore.setState({ status: 'cancelling' });
  (await client()).cancelExport();
}

/** Shows why an export could not start or go on. */
export function failExport(error: unknown): void {
  exportStore.setState({ ...IDLE_EXPORT, status: 'failed', error: toWireError(error) }, true);
}

function applyEvent(event: ExportEvent, destination: ExportDestination): void {
  if (event.type === 'progress') exportStore.setState({ progress: event.progress });
  if (event.type === 'cancelled') exportStore.setState({ ...IDLE_EXPORT, status: 'cancelled' }, true);
  if (event.type === 'failed') exportStore.setState({ status: 'failed', error: event.error });
  if (event.type !== 'done') return;
  const { files, bytes, zip } = event;
  const packed = zip === null || destination.kind !== 'zip' ? null : { name: `${destination.name}.zip`, file: zip };
  exportStore.setState({ status: 'done', result: { files, bytes, zip: packed } });
  if (packed !== null) downloadBlob(packed.name, packed.file);
}

function requirePlan(): PruningPlan {
  const plan = exportablePlan();
  if (plan === null) throw notCalibrated();
  return plan;
}

function notCalibrated(): StudioError {
  return new StudioError('plan', 'not-calibrated', 'There is no finished calibration to export from.', {
    nextStep: 'Calibrate the model first, then choose a compression ratio that the model allows.',
  });
}

function saveJson(name: string, text: string): void {
  downloadBlob(name, new Blob([text], { type: 'application/json' }));
}

async function orShow(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    failExport(error);
  }
}
