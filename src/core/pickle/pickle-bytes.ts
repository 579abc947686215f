import { damagedTorchFile, unsupportedTorchFile } from './refusals.ts';

/** Reads a pickle's bytes from front to back, and never past their end. */
export class PickleBytes {
  at = 0;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  readonly #file: string;

  constructor(bytes: Uint8Array<ArrayBuffer>, file: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#file = file;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  /** A length: one that no file has is as good as too early an end. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  /** Big-endian, as pickles have it. */
  f64(): number {
    return this.#view.getFloat64(this.#advance(8));
  }

  /** A whole number in two's complement of `length` bytes. @throws StudioError when a double cannot hold it. */
  long(length: number): number {
    const start = this.#advance(length);
    if (length > 8) throw this.#tooLarge();
    let value = 0n;
    for (let index = length - 1; index >= 0; index--) value = (value << 8n) | BigInt(this.#bytes[start + index] ?? 0);
    const number = Number(BigInt.asIntN(length * 8, value));
    if (!Number.isSafeInteger(number)) throw this.#tooLarge();
    return number;
  }

  text(length: number): string {
    const start = this.#advance(length);
    return new TextDecoder().decode(this.#bytes.subarray(start, start + length));
  }

  /** Up to the next line feed, which is passed over. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.at);
    if (end < 0) throw this.#cutOff();
    const text = this.text(end - this.at);
    this.at = end + 1;
    return text;
  }

  skip(length: number): void {
    this.#advance(length);
  }

  #advance(length: number): number {
    const start = this.at;
    if (start + length > this.#bytes.byteLength) throw this.#cutOff();
    this.at = start + length;
    return start;
  }

  #cutOff() {
    return damagedTorchFile(this.#file, `ends in the middle of data.pkl (byte ${this.at})`);
  }

  #tooLarge() {
    return unsupportedTorchFile(
      this.#file,
      `holds a whole number too large to be a count (byte ${this.at} of data.pkl)`,
    );
  }
}
