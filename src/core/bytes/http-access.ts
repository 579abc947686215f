import { onAbort } from './on-abort.ts';

/** What reading over HTTP needs of the world. */
export interface HttpAccess {
  readonly fetch: typeof fetch;
  /** Waits before another try. Left out: a timer. @throws the signal's reason when it fires. */
  readonly wait?: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** A request that gives no byte for so long, in milliseconds, is given up. Left out: half a minute. */
  readonly stallMs?: number;
}

const STALL_MS = 30_000;

/** Resolves after so many milliseconds. @throws the signal's reason when it fires first. */
export function timer(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const id = setTimeout(() => {
      leave();
      resolve();
    }, milliseconds);
    const leave = onAbort(signal, () => {
      clearTimeout(id);
      reject(signal?.reason);
    });
  });
}

/** Ends one request when nothing comes for too long, or when the person wants no more of it. */
export class StallGuard {
  /** For the request. */
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #stallMs: number;
  readonly #leave: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stalled = false;

  constructor(access: HttpAccess, outer: AbortSignal | undefined) {
    outer?.throwIfAborted();
    this.signal = this.#controller.signal;
    this.#stallMs = access.stallMs ?? STALL_MS;
    this.#leave = onAbort(outer, () => this.#controller.abort(outer?.reason));
    this.alive();
  }

  /** True when the request was ended because nothing came. */
  get stalled(): boolean {
    return this.#stalled;
  }

  get seconds(): number {
    return this.#stallMs / 1000;
  }

  /** Something came: the wait begins anew. */
  readonly alive = (): void => {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#stalled = true;
      this.#controller.abort(new DOMException('no byte came', 'TimeoutError'));
    }, this.#stallMs);
  };

  /** The request is over. */
  done(): void {
    clearTimeout(this.#timer);
    this.#leave();
  }
}
