import type { ByteSource, SourceFolder } from '../../src/core/bytes/byte-source.ts';

/** A folder that notes what is asked of it: a reader that believes what a file claims asks for more than there is. */
export class CountingFolder implements SourceFolder {
  readonly label: string;
  readonly names: readonly string[];
  /** Bytes asked for, together and at once. */
  asked = 0;
  largest = 0;
  readonly #inner: SourceFolder;
  readonly #sizes: ReadonlyMap<string, number>;

  /** `sizes`: what files claim to be, beyond the bytes that they hold; what lies there reads as zeros. */
  constructor(inner: SourceFolder, sizes: ReadonlyMap<string, number> = new Map()) {
    this.label = inner.label;
    this.names = inner.names;
    this.#inner = inner;
    this.#sizes = sizes;
  }

  async open(name: string, signal?: AbortSignal): Promise<ByteSource> {
    const source = await this.#inner.open(name, signal);
    const size = this.#sizes.get(name) ?? source.size;
    return {
      name,
      size,
      read: async (offset, length) => {
        this.asked += length;
        this.largest = Math.max(this.largest, length);
        const bytes = new Uint8Array(length);
        const held = Math.max(0, Math.min(length, source.size - offset));
        if (held > 0) bytes.set(await source.read(offset, held));
        return bytes;
      },
    };
  }
}
