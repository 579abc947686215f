import { createSHA256 } from 'hash-wasm';

type Hasher = Awaited<ReturnType<typeof createSHA256>>;

/** Instances that wait for their next use: each has a memory of its own, and an export hashes thousands of pieces. */
const idle: Hasher[] = [];

/** sha256 of bytes that arrive in pieces; `digest` ends one and makes ready for the next. */
export class Sha256 {
  readonly #hasher: Hasher;

  private constructor(hasher: Hasher) {
    this.#hasher = hasher;
  }

  static async create(): Promise<Sha256> {
    return new Sha256((idle.pop() ?? (await createSHA256())).init());
  }

  update(bytes: Uint8Array): void {
    this.#hasher.update(bytes);
  }

  /** Lower-case hexadecimal. */
  digest(): string {
    const hex = this.#hasher.digest('hex');
    this.#hasher.init();
    return hex;
  }

  /** Called once, when nothing more will be hashed with this one. */
  release(): void {
    idle.push(this.#hasher);
  }
}

/** sha256 of one piece, lower-case hexadecimal. Text is hashed as UTF-8. */
export async function sha256Of(content: Uint8Array | string): Promise<string> {
  const hasher = await Sha256.create();
  hasher.update(typeof content === 'string' ? new TextEncoder().encode(content) : content);
  const hex = hasher.digest();
  hasher.release();
  return hex;
}
