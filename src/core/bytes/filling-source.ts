import type { ByteSource } from './byte-source.ts';

/** A ByteSource that can also read into memory that its caller holds: fresh memory costs as much as reading a cached file. */
export interface FillingSource extends ByteSource {
  /** Fills all of `into` from `offset`. @throws as `read`. */
  fill(into: Uint8Array<ArrayBuffer>, offset: number, signal?: AbortSignal): Promise<void>;
}

function isFilling(source: ByteSource): source is FillingSource {
  return 'fill' in source && typeof source.fill === 'function';
}

/** Fills all of `into` with the bytes of `source` from `offset`. @throws as `source.read`. */
export async function fillFrom(
  source: ByteSource,
  into: Uint8Array<ArrayBuffer>,
  offset: number,
  signal?: AbortSignal,
): Promise<void> {
  if (isFilling(source)) await source.fill(into, offset, signal);
  else into.set(await source.read(offset, into.byteLength, signal));
}
