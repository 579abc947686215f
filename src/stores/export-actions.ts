import { downloadBlob, safeFileName } from '../client/download.ts';
import { StudioError, toWireError } from '../core/base/errors.ts';
import type { PruningPlan } from '../core/plan/pruning-plan.ts';
import type { ExportDestination, ExportEvent, ExportRequest } from '../core/protocol/export-protocol.ts';
import { calibrationStore } from './calibration-store.ts';
import { checkpointStore } from './checkpoint-store.ts';
import { exportablePlan } from './derived.ts';
import { exportSettings } from './export-settings.ts';
import { exportStore, IDLE_EXPORT, isExporting, noteEndedEarly, noteExportProgress } from './export-store.ts';

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
    const { shardBytes } = exportSettings.getState();
    const { serialisePlan } = await import('../core/plan/plan-file.ts');
    const planJson = serialisePlan(plan);
    await run({ source: source.spec, planJson, destination, ...(shardBytes === null ? {} : { shardBytes }) });
  });
}

/**
 * Goes on with the export that ended early: the same plan into the same folder. Must be called by a press of a button:
 * the browser asks whether the folder may be written to only then.
 */
export async function goOnExporting(): Promise<void> {
  const { unfinished } = exportStore.getState();
  if (unfinished === null) return;
  const allowed = await mayWrite(unfinished.folder);
  if (exportStore.getState().unfinished !== unfinished) return;
  if (allowed) await orShow(() => run(unfinished.request));
  else exportStore.setState({ status: 'failed', error: toWireError(notAllowed(unfinished.folder.name)) });
}

async function run(request: ExportRequest): Promise<void> {
  exportStore.setState({ ...IDLE_EXPORT, status: 'running' }, true);
  const [{ runExport }, { keepAwake }] = await Promise.all([client(), import('../client/wake-lock.ts')]);
  await keepAwake(() => runExport(request, (event) => applyEvent(event, request)));
}

async function mayWrite(folder: FileSystemDirectoryHandle): Promise<boolean> {
  const mode = { mode: 'readwrite' } as const;
  try {
    return (await folder.queryPermission(mode)) === 'granted' || (await folder.requestPermission(mode)) === 'granted';
  } catch {
    // Not by a press of a button, or the folder is gone: writing says which.
    return true;
  }
}

export async function cancelExport(): Promise<void> {
  if (exportStore.getState().status !== 'running') return;
  exportStore.setState({ status: 'cancelling' });
  (await client()).cancelExportJob();
}

/** Shows why an export could not start or go on. */
export function failExport(error: unknown): void {
  exportStore.setState({ ...IDLE_EXPORT, status: 'failed', error: toWireError(error) }, true);
}

function applyEvent(event: ExportEvent, request: ExportRequest): void {
  if (event.type === 'progress') noteExportProgress(event.progress);
  if (event.type === 'cancelled') noteEndedEarly(request, null);
  if (event.type === 'failed') noteEndedEarly(request, event.error);
  if (event.type !== 'done') return;
  const { files, bytes, zip } = event;
  const { destination } = request;
  const packed = zip === null || destination.kind !== 'zip' ? null : { name: `${destination.name}.zip`, file: zip };
  const folder = destination.kind === 'directory' ? destination.handle : null;
  exportStore.setState({ status: 'done', result: { files, bytes, zip: packed, folder } });
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

function notAllowed(folder: string): StudioError {
  return new StudioError('export', 'permission-lost', `The browser was not allowed to write into "${folder}".`, {
    nextStep: 'Press the button again and allow it, or export into another folder; finished files are kept.',
    details: { folder },
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
