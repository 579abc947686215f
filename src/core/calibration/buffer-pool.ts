const MIB = 1024 * 1024;
/** As much as one group of large experts; what is beyond goes to the garbage collector. */
const KEPT_BYTES = 256 * MIB;

/**
 * Memory of weights that were disposed of, for the next ones: fresh memory is zeroed and mapped page by page, which takes
 * longer than decoding weights into it.
 */
export class BufferPool {
  readonly #kept: number;
  readonly #free: ArrayBuffer[] = [];

  constructor(kept = KEPT_BYTES) {
    this.#kept = kept;
  }

  /** The smallest buffer of `bytes` to twice as many, with old contents, or undefined. */
  take(bytes: number): ArrayBuffer | undefined {
    let best = -1;
    for (const [index, { byteLength }] of this.#free.entries()) {
      const known = this.#free[best]?.byteLength ?? 2 * bytes + 1;
      if (byteLength >= bytes && byteLength < known) best = index;
    }
    return best < 0 ? undefined : this.#free.splice(best, 1)[0];
  }

  /** Nobody may use the buffer any more. Older ones go where it would be too much. */
  give(buffer: ArrayBuffer): void {
    this.#free.push(buffer);
    while (this.#free.reduce((sum, { byteLength }) => sum + byteLength, 0) > this.#kept) this.#free.shift();
  }
}
