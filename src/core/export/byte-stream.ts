import type { ByteSource } from '../bytes/byte-source.ts';
import { fillFrom } from '../bytes/filling-source.ts';

/** Bytes per read and write. Pieces under 4 MiB are slow on some disks and in Chrome; larger ones gain nothing. */
export const CHUNK_BYTES = 8 * 1024 * 1024;

/**
 * Passes the bytes of `source` to `consume`, in order, in pieces of at most `chunkBytes`. The next piece is being read
 * while one is consumed, so two are in memory; a piece's memory is used again once `consume` has resolved.
 * @throws whatever `source.read` or `consume` throw, and the signal's reason.
 */
export async function streamBytes(
  source: ByteSource,
  consume: (chunk: Uint8Array<ArrayBuffer>) => Promise<void> | void,
  options: { readonly signal?: AbortSignal | undefined; readonly chunkBytes?: number } = {},
): Promise<void> {
  const { signal, chunkBytes = CHUNK_BYTES } = options;
  const pieceBytes = Math.min(chunkBytes, source.size);
  let [free, used] = [new Uint8Array(pieceBytes), new Uint8Array(source.size > pieceBytes ? pieceBytes : 0)];
  const read = (offset: number): Promise<Uint8Array<ArrayBuffer>> | undefined => {
    if (offset >= source.size) return undefined;
    const piece = free.subarray(0, Math.min(chunkBytes, source.size - offset));
    [free, used] = [used, free];
    const filled = fillFrom(source, piece, offset, signal).then(() => piece);
    // When `consume` fails the read-ahead is dropped; its own failure must not surface as an unhandled rejection.
    filled.catch(() => undefined);
    return filled;
  };
  let offset = 0;
  let pending = read(offset);
  while (pending !== undefined) {
    signal?.throwIfAborted();
    const chunk = await pending;
    offset += chunk.byteLength;
    pending = read(offset);
    await consume(chunk);
  }
  signal?.throwIfAborted();
}
