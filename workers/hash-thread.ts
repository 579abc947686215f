import { Sha256 } from '../src/core/export/sha256.ts';
import { TensorCuts, type TensorExtent } from '../src/core/export/tensor-cuts.ts';

/** What the exporting thread sends: a file begins (null: hash the whole of it, else each tensor), goes on, and ends. */
export type HashOrder =
  | { readonly type: 'begin'; readonly extents: readonly TensorExtent[] | null }
  | { readonly type: 'bytes'; readonly buffer: ArrayBuffer; readonly length: number }
  | { readonly type: 'end' };

/** `free`: a buffer comes back to be filled again. The whole file's hash has the name ''. */
export type HashAnswer =
  | { readonly type: 'free'; readonly buffer: ArrayBuffer }
  | { readonly type: 'hashes'; readonly hashes: ReadonlyMap<string, string> }
  | { readonly type: 'failed'; readonly message: string };

/** The ends of a channel, as far as both sides need them: a worker, its global scope, or a port. */
export interface HashChannel {
  postMessage(message: HashOrder | HashAnswer, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent) => unknown) | null;
}

/** The hash of one file under way. */
class RunningHash {
  readonly #sha256: Sha256;
  readonly #cuts: TensorCuts | null;
  readonly #tensors = new Map<string, string>();

  constructor(sha256: Sha256, extents: readonly TensorExtent[] | null) {
    this.#sha256 = sha256;
    this.#cuts = extents === null ? null : new TensorCuts(extents);
  }

  update(bytes: Uint8Array): void {
    if (this.#cuts === null) {
      this.#sha256.update(bytes);
      return;
    }
    for (const { from, to, ends } of this.#cuts.next(bytes.byteLength)) {
      this.#sha256.update(bytes.subarray(from, to));
      if (ends !== undefined) this.#tensors.set(ends, this.#sha256.digest());
    }
  }

  digest(): ReadonlyMap<string, string> {
    return this.#cuts === null ? new Map([['', this.#sha256.digest()]]) : this.#tensors;
  }

  release(): void {
    this.#sha256.release();
  }
}

/** Hashes what comes over `channel`, in order. */
export function serveHashing(channel: HashChannel): void {
  let hash: RunningHash | undefined;
  let last: Promise<void> = Promise.resolve();
  const obey = async (order: HashOrder): Promise<void> => {
    if (order.type === 'begin') {
      hash?.release();
      hash = new RunningHash(await Sha256.create(), order.extents);
    }
    if (order.type === 'bytes') {
      hash?.update(new Uint8Array(order.buffer, 0, order.length));
      channel.postMessage({ type: 'free', buffer: order.buffer }, [order.buffer]);
    }
    if (order.type === 'end') channel.postMessage({ type: 'hashes', hashes: hash?.digest() ?? new Map() }, []);
  };
  channel.onmessage = ({ data }: MessageEvent<HashOrder>) => {
    last = last
      .then(() => obey(data))
      .catch((error: unknown) => {
        channel.postMessage({ type: 'failed', message: String(error) }, []);
      });
  };
}
