import { StudioError } from '../core/base/errors.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** How long a worker may take to stop by itself before it is ended. */
const PATIENCE_MS = 3000;

/** Ends the worker when `run` is still going after three seconds: a kernel under way cannot be interrupted otherwise. */
export function terminateUnlessEnded<Api>(handle: WorkerHandle<Api>, run: Promise<void>): void {
  const reason = new StudioError('internal', 'cancelled', 'The work was cancelled.', {
    nextStep: 'Start it again when you like.',
  });
  const timer = setTimeout(() => handle.terminate(reason), PATIENCE_MS);
  void run.finally(() => clearTimeout(timer));
}
