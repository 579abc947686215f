import { type Remote, releaseProxy, wrap } from 'comlink';
import { StudioError } from '../core/base/errors.ts';

interface LiveWorker<Api> {
  readonly worker: Worker;
  readonly remote: Remote<Api>;
  /** Rejects when the worker dies; never resolves. */
  readonly death: Promise<never>;
  readonly kill: (reason: StudioError) => void;
}

/**
 * One worker, started when first called and again after it died. comlink leaves calls to a dead worker pending for ever,
 * so every call here races with the worker's death.
 */
export class WorkerHandle<Api> {
  readonly #noun: string;
  readonly #spawn: () => Worker;
  #live: LiveWorker<Api> | null = null;

  /** `noun` names the worker in errors: "calibration". */
  constructor(noun: string, spawn: () => Worker) {
    this.#noun = noun;
    this.#spawn = spawn;
  }

  /** @throws StudioError internal/worker-failed when the worker dies first, or is ended without a word; whatever the call rejects with. */
  call<Value>(make: (remote: Remote<Api>) => Promise<Value>): Promise<Value> {
    const live = this.#live ?? this.#start();
    return Promise.race([make(live.remote), live.death]);
  }

  /** Sends a message that needs no answer; nothing happens when no worker runs. */
  post(make: (remote: Remote<Api>) => Promise<void>): void {
    if (this.#live === null) return;
    make(this.#live.remote).catch(() => {});
  }

  /** Ends the worker at once; calls under way reject with `reason`. */
  terminate(reason: StudioError): void {
    this.#live?.kill(reason);
  }

  #start(): LiveWorker<Api> {
    const worker = this.#spawn();
    const remote = wrap<Api>(worker);
    let fail: (reason: StudioError) => void = () => {};
    const death = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    let dead = false;
    // A death with no call under way is nobody's failure.
    death.catch(() => {});
    const live: LiveWorker<Api> = {
      worker,
      remote,
      death,
      kill: (reason) => {
        if (dead) return;
        dead = true;
        if (this.#live === live) this.#live = null;
        remote[releaseProxy]();
        worker.terminate();
        fail(reason);
      },
    };
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      live.kill(this.#failure(event.message));
    });
    worker.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      const lifeLock = lifeLockIn(data);
      if (lifeLock !== undefined) void whenFree(lifeLock).then(() => live.kill(this.#failure('it was ended')));
    });
    worker.addEventListener('messageerror', () => live.kill(this.#failure('a message could not be read')));
    this.#live = live;
    return live;
  }

  #failure(message: string | undefined): StudioError {
    const cause = message === undefined || message === '' ? 'it could not be loaded' : message;
    return new StudioError('internal', 'worker-failed', `The ${this.#noun} worker stopped: ${cause}.`, {
      nextStep:
        'Go on from where it stopped: finished layers and shards are kept. If it happens again, reload the page.',
    });
  }
}

/** The lock that a worker says it holds for as long as it lives; its other messages are comlink's. */
function lifeLockIn(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || !('lifeLock' in data)) return undefined;
  return typeof data.lifeLock === 'string' ? data.lifeLock : undefined;
}

/** Resolves when nobody holds the lock any more. */
async function whenFree(lock: string): Promise<void> {
  await navigator.locks.request(lock, () => undefined);
}
