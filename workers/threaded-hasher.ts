import type { FileHasher, FileHashes, OpenFileHasher } from '../src/core/export/file-hasher.ts';
import type { TensorExtent } from '../src/core/export/tensor-cuts.ts';
import { openTensorHasher } from '../src/core/export/tensor-hasher.ts';
import type { HashAnswer, HashChannel } from './hash-thread.ts';

/** Pieces that one thread holds: one that it hashes, one that waits. */
const BUFFERS = 2;

/** The exporting side of one hashing thread. It hashes one file at a time. */
class HashThread {
  readonly #channel: HashChannel;
  readonly #free: (ArrayBuffer | null)[] = Array.from({ length: BUFFERS }, () => null);
  #wake: () => void = () => {};
  #failure: Error | undefined;
  #hashes: ReadonlyMap<string, string> | undefined;

  constructor(channel: HashChannel) {
    this.#channel = channel;
    channel.onmessage = ({ data }: MessageEvent<HashAnswer>) => {
      if (data.type === 'free') this.#free.push(data.buffer);
      if (data.type === 'hashes') this.#hashes = data.hashes;
      if (data.type === 'failed') this.#failure = new Error(data.message);
      this.#wake();
    };
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#wake();
  }

  begin(extents: readonly TensorExtent[] | null): void {
    this.#hashes = undefined;
    this.#channel.postMessage({ type: 'begin', extents }, []);
  }

  /** Resolves once a copy of `chunk` is on its way: at once, unless the thread has fallen behind. */
  async update(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    while (this.#free.length === 0) await this.#change();
    if (this.#failure !== undefined) throw this.#failure;
    const used = this.#free.pop();
    const buffer = used instanceof ArrayBuffer && used.byteLength >= chunk.byteLength ? used : chunk.slice().buffer;
    if (buffer === used) new Uint8Array(buffer).set(chunk);
    this.#channel.postMessage({ type: 'bytes', buffer, length: chunk.byteLength }, [buffer]);
  }

  async digest(): Promise<ReadonlyMap<string, string>> {
    this.#channel.postMessage({ type: 'end' }, []);
    while (this.#hashes === undefined) await this.#change();
    return this.#hashes;
  }

  async #change(): Promise<void> {
    if (this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure;
  }
}

class ThreadedHasher implements FileHasher {
  readonly #file: HashThread;
  readonly #tensors: HashThread;

  constructor(file: HashThread, tensors: HashThread) {
    this.#file = file;
    this.#tensors = tensors;
  }

  async update(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    await Promise.all([this.#file.update(chunk), this.#tensors.update(chunk)]);
  }

  async digest(): Promise<FileHashes> {
    const [file, tensors] = await Promise.all([this.#file.digest(), this.#tensors.digest()]);
    return { sha256: file.get('') ?? '', tensors };
  }
}

/**
 * Hashes shards on two threads of their own, the whole file on one and its tensors on the other: in WebAssembly sha256
 * is slower than any disk. Files without tensors are small and hashed on the calling thread. One shard at a time.
 * @param start Starts a thread that serves hash-thread.ts; `onFailure` is told when it dies.
 */
export function threadedHashing(start: (onFailure: (error: Error) => void) => HashChannel): OpenFileHasher {
  const startThread = (): HashThread => {
    const thread: HashThread = new HashThread(start((error) => thread.fail(error)));
    return thread;
  };
  let threads: { readonly file: HashThread; readonly tensors: HashThread } | undefined;
  return async (extents) => {
    if (extents.length === 0) return openTensorHasher(extents);
    threads ??= { file: startThread(), tensors: startThread() };
    threads.file.begin(null);
    threads.tensors.begin(extents);
    return new ThreadedHasher(threads.file, threads.tensors);
  };
}
