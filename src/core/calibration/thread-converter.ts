import { fromWireError, StudioError, toWireError, type WireError } from '../base/errors.ts';
import { type Converted, convertHere, type Memory, type WeightConverter } from './weight-converter.ts';
import { numbersOf, type WeightStack } from './weight-stack.ts';

/** Fewer numbers than this are decoded where they are: a message takes as long. */
const LEAST_NUMBERS = 65_536;

export interface ConvertRequest {
  readonly id: number;
  readonly stacks: readonly WeightStack[];
  readonly memory: Memory;
}

export type ConvertReply =
  | { readonly kind: 'ready' }
  | ({ readonly kind: 'done'; readonly id: number } & Converted)
  | { readonly kind: 'failed'; readonly id: number; readonly error: WireError };

/** A second thread as the browser and Node offer it. */
export interface ConvertThread {
  post(request: ConvertRequest, transfer: ArrayBuffer[]): void;
  onReply(listener: (reply: ConvertReply) => void): void;
  /** The thread could not be started, or has died. */
  onEnd(listener: (reason: string) => void): void;
  /** Whether an answer is awaited: a thread that idles must keep no process alive. */
  onBusy?(busy: boolean): void;
  terminate(): void;
}

interface Waiting {
  readonly resolve: (converted: Converted) => void;
  readonly reject: (error: StudioError) => void;
}

function lost(reason: string): StudioError {
  return new StudioError('backend', 'converter-lost', `The thread that decodes weights has ended (${reason}).`, {
    nextStep: 'Start the calibration again: finished layers are kept.',
  });
}

function needsDecoding({ weights, cut }: WeightStack): boolean {
  return (
    cut !== undefined || weights.some(({ scheme, parts }) => scheme !== 'plain' || parts['weight']?.dtype !== 'F32')
  );
}

/** Whether a second thread saves time over a message to it. */
export function worthSending(stacks: readonly WeightStack[]): boolean {
  const weights = stacks.filter(needsDecoding).flatMap((stack) => stack.weights);
  return weights.reduce((sum, weight) => sum + numbersOf(weight), 0) >= LEAST_NUMBERS;
}

function buffersOf(stacks: readonly WeightStack[]): ArrayBuffer[] {
  const tensors = stacks.flatMap(({ weights }) => weights.flatMap(({ parts }) => Object.values(parts)));
  return [...new Set(tensors.map(({ bytes }) => bytes.buffer))];
}

/**
 * Decodes weights in a second thread: their bytes go there and the numbers come back, neither of them copied. F32, which
 * only needs to be copied, and small weights stay here. When the thread dies, what it was at fails, and further weights
 * are decoded here.
 */
export class ThreadConverter implements WeightConverter {
  readonly #thread: ConvertThread;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #ended: string | undefined;

  private constructor(thread: ConvertThread) {
    this.#thread = thread;
  }

  /**
   * Resolves once the thread works.
   * @param patience How long it is waited for, in milliseconds.
   * @throws StudioError family `backend` code `converter-lost`.
   */
  static start(thread: ConvertThread, patience = 30_000): Promise<ThreadConverter> {
    const converter = new ThreadConverter(thread);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => converter.#end('it did not answer', reject), patience);
      thread.onReply((reply) => {
        if (reply.kind !== 'ready') return converter.#answer(reply);
        clearTimeout(timer);
        resolve(converter);
      });
      thread.onEnd((reason) => {
        clearTimeout(timer);
        converter.#end(reason, reject);
      });
    });
  }

  async convert(stacks: readonly WeightStack[], memory: Memory = []): Promise<Converted> {
    const goes = stacks.map(needsDecoding);
    if (this.#ended !== undefined || !worthSending(stacks)) return convertHere(stacks, memory);
    const part = <T>(list: readonly T[], there: boolean): T[] => list.filter((_, index) => goes[index] === there);
    const padded = stacks.map((_, index) => memory[index]);
    // Before the others leave: weights may share a buffer.
    const here = convertHere(part(stacks, false), part(padded, false));
    const there = await this.#send(part(stacks, true), part(padded, true));
    const [mine, theirs] = [here.arrays.values(), there.arrays.values()];
    const arrays = goes.flatMap((gone) => (gone ? theirs : mine).next().value ?? []);
    return { arrays, milliseconds: here.milliseconds + there.milliseconds };
  }

  #send(stacks: readonly WeightStack[], memory: Memory): Promise<Converted> {
    const id = this.#next++;
    const given = memory.filter((buffer) => buffer !== undefined);
    return new Promise((resolve, reject) => {
      this.#thread.post({ id, stacks, memory }, [...buffersOf(stacks), ...given]);
      this.#waiting.set(id, { resolve, reject });
      this.#thread.onBusy?.(true);
    });
  }

  #answer(reply: Exclude<ConvertReply, { kind: 'ready' }>): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0) this.#thread.onBusy?.(false);
    if (reply.kind === 'done') waiting?.resolve({ arrays: reply.arrays, milliseconds: reply.milliseconds });
    else waiting?.reject(fromWireError(reply.error));
  }

  #end(reason: string, alsoTell?: (error: StudioError) => void): void {
    this.#ended ??= reason;
    this.#thread.terminate();
    alsoTell?.(lost(reason));
    for (const { reject } of this.#waiting.values()) reject(lost(reason));
    this.#waiting.clear();
  }

  close(): void {
    this.#end('it was closed');
  }
}

/** The other side: answers one request. `transfer` holds what must not be copied back. */
export function answerRequest({ id, stacks, memory }: ConvertRequest): {
  readonly reply: ConvertReply;
  readonly transfer: ArrayBuffer[];
} {
  try {
    const converted = convertHere(stacks, memory);
    return {
      reply: { kind: 'done', id, ...converted },
      transfer: converted.arrays.map(({ buffer }) => buffer),
    };
  } catch (error) {
    return { reply: { kind: 'failed', id, error: toWireError(error) }, transfer: [] };
  }
}
