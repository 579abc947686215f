import { createXXHash128 } from 'hash-wasm';

type Hasher = Awaited<ReturnType<typeof createXXHash128>>;

/** Instances that wait for their next use: each has a memory of its own. */
const idle: Hasher[] = [];

/**
 * XXH3 with 128 bits of bytes that arrive in pieces. It tells whether a file reads back as it was written, at ten times
 * the speed of sha256; against someone who forges bytes it helps nothing, so no file of ours carries it.
 */
export class Checksum {
  readonly #hasher: Hasher;

  private constructor(hasher: Hasher) {
    this.#hasher = hasher;
  }

  static async create(): Promise<Checksum> {
    return new Checksum((idle.pop() ?? (await createXXHash128())).init());
  }

  update(bytes: Uint8Array): void {
    this.#hasher.update(bytes);
  }

  /** Called once, after the last byte. */
  digest(): string {
    const hex = this.#hasher.digest('hex');
    idle.push(this.#hasher);
    return hex;
  }
}
