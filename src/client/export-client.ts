import { transfer } from 'comlink';
import type {
  ExportApi,
  ExportEvent,
  ExportRequest,
  VerifyEvent,
  VerifyRequest,
} from '../core/protocol/export-protocol.ts';
import { terminateUnlessEnded } from './cancellation.ts';
import { runWithEvents } from './event-run.ts';
import { WorkerHandle } from './worker-handle.ts';

const handle = new WorkerHandle<ExportApi>(
  'export',
  () => new Worker(new URL('../../workers/export.worker.ts', import.meta.url), { type: 'module', name: 'export' }),
);

let running: Promise<void> | null = null;

async function runJob(job: Promise<void>): Promise<void> {
  running = job;
  await job;
  running = null;
}

/** Resolves when the export has ended in any way; the last event says how. Never rejects. */
export function runExport(request: ExportRequest, onEvent: (event: ExportEvent) => void): Promise<void> {
  return runJob(
    runWithEvents<ExportEvent>(
      (port) => handle.call((remote) => remote.exportModel(request, transfer(port, [port]))),
      onEvent,
    ),
  );
}

/** Resolves when the verification has ended in any way; the last event says how. Never rejects. */
export function runVerification(request: VerifyRequest, onEvent: (event: VerifyEvent) => void): Promise<void> {
  return runJob(
    runWithEvents<VerifyEvent>(
      (port) => handle.call((remote) => remote.verifyModel(request, transfer(port, [port]))),
      onEvent,
    ),
  );
}

/** Asks the job under way to stop, and ends the worker when it has not done so after three seconds. */
export function cancelExportJob(): void {
  if (running === null) return;
  handle.post((remote) => remote.cancel());
  terminateUnlessEnded(handle, running);
}
