import { type ThreadConverter, worthSending } from './thread-converter.ts';
import { type Converted, convertHere, type Memory, type WeightConverter } from './weight-converter.ts';
import type { WeightStack } from './weight-stack.ts';

/**
 * Starts a second thread at the first weights that are worth it: runs over small models, or F32 ones, never have one.
 * Weights are decoded in place until the thread is there, and ever after where none can be had.
 */
export class LazyConverter implements WeightConverter {
  readonly #start: () => Promise<ThreadConverter>;
  readonly #onFailure: (error: unknown) => void;
  #starting: Promise<void> | undefined;
  #thread: ThreadConverter | undefined;
  #closed = false;

  /** `onFailure` is told, once, when there will be no thread. */
  constructor(start: () => Promise<ThreadConverter>, onFailure: (error: unknown) => void) {
    this.#start = start;
    this.#onFailure = onFailure;
  }

  async convert(stacks: readonly WeightStack[], memory: Memory = []): Promise<Converted> {
    if (this.#thread !== undefined) return this.#thread.convert(stacks, memory);
    if (worthSending(stacks)) this.#starting ??= this.#open();
    return convertHere(stacks, memory);
  }

  async #open(): Promise<void> {
    try {
      const thread = await this.#start();
      if (this.#closed) thread.close();
      else this.#thread = thread;
    } catch (error) {
      if (!this.#closed) this.#onFailure(error);
    }
  }

  close(): void {
    this.#closed = true;
    this.#thread?.close();
  }
}
