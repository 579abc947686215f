import { transfer } from 'comlink';
import { fromWireError, StudioError } from '../core/base/errors.ts';
import type { CheckpointSummary } from '../core/checkpoint/summary.ts';
import type { HubQuery, OpenedHub } from '../core/hub/hub-repo.ts';
import type { CalibrationApi, CalibrationEvent, CalibrationRequest } from '../core/protocol/calibration-protocol.ts';
import type { SourceSpec } from '../core/protocol/source-spec.ts';
import { terminateUnlessEnded } from './cancellation.ts';
import { runWithEvents } from './event-run.ts';
import { WorkerHandle } from './worker-handle.ts';

const handle = new WorkerHandle<CalibrationApi>(
  'calibration',
  () =>
    new Worker(new URL('../../workers/calibration.worker.ts', import.meta.url), {
      type: 'module',
      name: 'calibration',
    }),
);

let running: Promise<void> | null = null;

/**
 * Reads config and headers.
 *
 * @throws StudioError that says what is wrong with the files.
 */
export async function openCheckpoint(source: SourceSpec): Promise<CheckpointSummary> {
  const result = await handle.call(async (remote) => await remote.openCheckpoint(source));
  if (!result.ok) throw fromWireError(result.error);
  return result.value;
}

/**
 * Looks a repository up on its hub and pins its commit; reads no file.
 *
 * @throws StudioError that says why it cannot be opened.
 */
export async function resolveHub(query: HubQuery): Promise<OpenedHub> {
  const result = await handle.call(async (remote) => await remote.resolveHub(query));
  if (!result.ok) throw fromWireError(result.error);
  return result.value;
}

/** Ends the worker, and so its requests, unless a run is under way: what is being opened rejects with `cancelled`. */
export function stopOpening(): void {
  if (running !== null) return;
  handle.terminate(
    new StudioError('internal', 'cancelled', 'Opening was cancelled.', { nextStep: 'Open it again when you like.' }),
  );
}

/** Resolves when the run has ended in any way; the last event says how. Never rejects. */
export async function runCalibration(
  request: CalibrationRequest,
  onEvent: (event: CalibrationEvent) => void,
): Promise<void> {
  running = runWithEvents<CalibrationEvent>(
    (port) => handle.call((remote) => remote.calibrate(request, transfer(port, [port]))),
    onEvent,
  );
  await running;
  running = null;
}

export function pauseCalibration(): void {
  handle.post((remote) => remote.pause());
}

export function resumeCalibration(): void {
  handle.post((remote) => remote.resume());
}

/** Asks, and ends the worker when it has not stopped after three seconds. */
export function cancelCalibration(): void {
  if (running === null) return;
  handle.post((remote) => remote.cancel());
  terminateUnlessEnded(handle, running);
}
