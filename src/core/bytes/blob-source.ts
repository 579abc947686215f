import type { ByteSource } from './byte-source.ts';
import { checkRange } from './memory-source.ts';
import { changedError, shortReadError, unreadableError } from './refusals.ts';

/** A ByteSource over a Blob, or a File that the person picked. Nothing is read before it is asked for. */
export class BlobSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #blob: Blob;

  constructor(blob: Blob, name: string) {
    this.name = name;
    this.size = blob.size;
    this.#blob = blob;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    signal?.throwIfAborted();
    checkRange(this.name, this.size, offset, length);
    const buffer = await this.#slice(offset, length);
    signal?.throwIfAborted();
    if (buffer.byteLength !== length) throw shortReadError(this.name, offset, length, buffer.byteLength);
    return new Uint8Array(buffer);
  }

  async #slice(offset: number, length: number): Promise<ArrayBuffer> {
    try {
      return await this.#blob.slice(offset, offset + length).arrayBuffer();
    } catch (cause) {
      const name = cause instanceof Error ? cause.name : '';
      // What browsers throw once the file behind a File has another size or time, or is gone.
      if (name === 'NotReadableError' || name === 'NotFoundError') {
        throw changedError(this.name, 'it was written to, moved or deleted, or the browser lost access to it', cause);
      }
      throw unreadableError(this.name, cause instanceof Error ? cause.message : String(cause), cause);
    }
  }
}
