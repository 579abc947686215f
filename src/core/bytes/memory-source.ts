import { StudioError } from '../base/errors.ts';
import type { ByteSource } from './byte-source.ts';

/** Throws the `out-of-range` refusal that every ByteSource shares when the range is not inside the file. */
export function checkRange(name: string, size: number, offset: number, length: number): void {
  if (
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset + length <= size
  ) {
    return;
  }
  throw new StudioError(
    'source',
    'out-of-range',
    `"${name}" has ${size} bytes, but bytes ${offset} to ${offset + length} were asked for.`,
    {
      nextStep: 'The file is shorter than its header says. Download it again and compare its size with the original.',
      details: { file: name, size, offset, length },
    },
  );
}

/** A ByteSource over bytes that are in memory already. */
export class MemorySource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.size = bytes.byteLength;
    this.#bytes = bytes;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    signal?.throwIfAborted();
    checkRange(this.name, this.size, offset, length);
    return new Uint8Array(this.#bytes.subarray(offset, offset + length));
  }
}
