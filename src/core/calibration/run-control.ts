/** How often a run lets other events in (pause, cancel, messages), in milliseconds. */
const BREATH_INTERVAL = 40;

/** The hand on a running job: pause, resume and cancel take effect between two runs of a graph. */
export class RunControl {
  readonly #abort = new AbortController();
  readonly #onPaused: (() => void) | undefined;
  #lastBreath = 0;
  #resume: (() => void) | undefined;
  #paused: Promise<void> | undefined;

  /** `onPaused` is called when a pause takes effect: nothing is computed from then on. */
  constructor(onPaused?: () => void) {
    this.#onPaused = onPaused;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get isPaused(): boolean {
    return this.#paused !== undefined;
  }

  pause(): void {
    if (this.#paused !== undefined) return;
    this.#paused = new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  resume(): void {
    this.#resume?.();
    this.#paused = undefined;
    this.#resume = undefined;
  }

  cancel(): void {
    this.#abort.abort(new DOMException('The run was cancelled.', 'AbortError'));
    this.resume();
  }

  /** To be awaited between units of work: lets waiting events in now and then, waits while paused, throws when cancelled. */
  async pass(): Promise<void> {
    const now = performance.now();
    if (now - this.#lastBreath >= BREATH_INTERVAL) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#lastBreath = performance.now();
    }
    while (this.#paused !== undefined) {
      this.#onPaused?.();
      await this.#paused;
    }
    this.signal.throwIfAborted();
  }
}
