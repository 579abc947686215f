import { createSHA256 } from 'hash-wasm';

/** sha256 of bytes that arrive in pieces; `digest` ends one and makes ready for the next. */
export class Sha256 {
  readonly #hasher: Awaited<ReturnType<typeof createSHA256>>;

  private constructor(hasher: Awaited<ReturnType<typeof createSHA256>>) {
    this.#hasher = hasher;
  }

  static async create(): Promise<Sha256> {
    return new Sha256((await createSHA256()).init());
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
}

/** sha256 of one piece, lower-case hexadecimal. Text is hashed as UTF-8. */
export async function sha256Of(content: Uint8Array | string): Promise<string> {
  const hasher = await Sha256.create();
  hasher.update(typeof content === 'string' ? new TextEncoder().encode(content) : content);
  return hasher.digest();
}
