import { transfer } from 'comlink';
import type { ExportApi, ExportEvent, ExportRequest } from '../core/protocol/export-protocol.ts';
import { terminateUnlessEnded } from './cancellation.ts';
import { runWithEvents } from './event-run.ts';
import { WorkerHandle } from './worker-handle.ts';

const handle = new WorkerHandle<ExportApi>(
  'export',
  () => new Worker(new URL('../../workers/export.worker.ts', import.meta.url), { type: 'module', name: 'export' }),
);

let running: Promise<void> | null = null;

/** Resolves when the export has ended in any way; the last event says how. Never rejects. */
export async function runExport(request: ExportRequest, onEvent: (event: ExportEvent) => void): Promise<void> {
  running = runWithEvents<ExportEvent>(
    (port) => handle.call((remote) => remote.exportModel(request, transfer(port, [port]))),
    onEvent,
  );
  await running;
  running = null;
}

/** Asks, and ends the worker when it has not stopped after three seconds. */
export function cancelExport(): void {
  if (running === null) return;
  handle.post((remote) => remote.cancel());
  terminateUnlessEnded(handle, running);
}
