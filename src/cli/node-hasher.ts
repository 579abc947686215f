import { Worker } from 'node:worker_threads';
import type { FileHasher, FileHashes, OpenFileHasher } from '../core/export/file-hasher.ts';
import { TensorCuts } from '../core/export/tensor-cuts.ts';

/** Begins anew, hashes parts of bytes, [from, to, whether a hash ends there], or ends and asks for all hashes. */
type Message =
  | { readonly begin: true }
  | { readonly bytes: Uint8Array; readonly parts: readonly (readonly [from: number, to: number, ends: boolean])[] }
  | { readonly end: true };

/** As text, so that neither tsx nor the bundler has to find it as a file. */
const WORKER = `
const { parentPort } = require('node:worker_threads');
const { createHash } = require('node:crypto');
let hash, hashes;
const next = () => { hash = createHash('sha256'); };
parentPort.on('message', ({ begin, bytes, parts, end }) => {
  if (begin) { hashes = []; next(); }
  for (const [from, to, ends] of parts ?? []) {
    hash.update(bytes.subarray(from, to));
    if (ends) { hashes.push(hash.digest('hex')); next(); }
  }
  parentPort.postMessage(end ? hashes : []);
});`;

interface Waiting {
  readonly resolve: (hashes: readonly string[]) => void;
  readonly reject: (error: unknown) => void;
}

/** A thread that hashes with OpenSSL what it is sent, in that order. */
class HashThread {
  readonly #worker = new Worker(WORKER, { eval: true });
  #waiting: Waiting[] = [];
  #failure: Error | undefined;

  constructor() {
    this.#worker.on('message', (hashes: readonly string[]) => this.#waiting.shift()?.resolve(hashes));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the thread that hashes has ended')));
  }

  /** Resolves when the thread has done with the message, with the hashes for the last one. */
  send(message: Message): Promise<readonly string[]> {
    const answer = new Promise<readonly string[]>((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure);
      else this.#waiting.push({ resolve, reject });
    });
    // Nobody asks for the answer of a file that is given up.
    answer.catch(() => undefined);
    if (this.#failure === undefined) this.#worker.postMessage(message);
    return answer;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting) reject(this.#failure);
    this.#waiting = [];
  }
}

/** Chunks that may wait for the threads: the calling thread goes on reading and writing while they hash. */
const WAITING_CHUNKS = 3;

/** Memory that both threads see, used again and again. */
interface Slot {
  memory: Uint8Array<SharedArrayBuffer>;
  free: Promise<unknown>;
}

/** Hashes files on two threads of their own, one for the whole file and one for the tensors in it. Close it at the end. */
export class NodeHashing {
  readonly #file = new HashThread();
  readonly #tensors = new HashThread();
  readonly #slots: Slot[] = Array.from({ length: WAITING_CHUNKS }, () => ({
    memory: new Uint8Array(new SharedArrayBuffer(0)),
    free: Promise.resolve(),
  }));
  #chunks = 0;

  /** One file at a time: the one before it must have been digested or given up. */
  readonly openHasher: OpenFileHasher = async (extents): Promise<FileHasher> => {
    const cuts = new TensorCuts(extents);
    const names: string[] = [];
    void this.#file.send({ begin: true });
    void this.#tensors.send({ begin: true });
    return {
      update: async (chunk: Uint8Array<ArrayBuffer>): Promise<void> => {
        const pieces = cuts.next(chunk.byteLength);
        for (const { ends } of pieces) if (ends !== undefined) names.push(ends);
        await this.#share(
          chunk,
          pieces.map(({ from, to, ends }) => [from, to, ends !== undefined]),
        );
      },
      digest: async (): Promise<FileHashes> => {
        const whole = this.#file.send({ bytes: new Uint8Array(), parts: [[0, 0, true]] });
        const [[sha256 = ''], hashes] = await Promise.all([
          this.#file.send({ end: true }),
          this.#tensors.send({ end: true }),
          whole,
        ]);
        return { sha256, tensors: new Map(names.map((name, index) => [name, hashes[index] ?? ''])) };
      },
    };
  };

  async close(): Promise<void> {
    await Promise.all([this.#file.close(), this.#tensors.close()]);
  }

  async #share(chunk: Uint8Array, parts: readonly (readonly [number, number, boolean])[]): Promise<void> {
    const slot = this.#slots[this.#chunks++ % WAITING_CHUNKS];
    if (slot === undefined) throw new RangeError('no slot');
    await slot.free;
    if (slot.memory.byteLength < chunk.byteLength)
      slot.memory = new Uint8Array(new SharedArrayBuffer(chunk.byteLength));
    slot.memory.set(chunk);
    const bytes = slot.memory.subarray(0, chunk.byteLength);
    slot.free = Promise.all([
      this.#file.send({ bytes, parts: [[0, bytes.byteLength, false]] }),
      this.#tensors.send({ bytes, parts }),
    ]);
    slot.free.catch(() => undefined);
  }
}
