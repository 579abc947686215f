/** The rate is that of the last seconds: long enough to be steady, short enough to show a stall. */
const WINDOW_MS = 5000;
const SLOT_MS = 250;

/** Counts what came over the network: body bytes of all answers, those of tries that failed as well. */
export class TransferMeter {
  readonly #now: () => number;
  /** Bytes by slot of time, oldest first. */
  readonly #slots: { readonly start: number; bytes: number }[] = [];
  #bytes = 0;
  #began: number | undefined;

  /** @param now Milliseconds that never go back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Bytes since the beginning. */
  get bytes(): number {
    return this.#bytes;
  }

  add(bytes: number): void {
    const now = this.#now();
    this.#began ??= now;
    this.#bytes += bytes;
    const last = this.#slots.at(-1);
    if (last !== undefined && now - last.start < SLOT_MS) last.bytes += bytes;
    else this.#slots.push({ start: now, bytes });
    this.#forget(now);
  }

  /** Mean over the last five seconds, or since the first byte where that is less long ago. */
  bytesPerSecond(): number {
    const now = this.#now();
    this.#forget(now);
    const lasted = Math.min(now - (this.#began ?? now), WINDOW_MS);
    if (lasted <= 0) return 0;
    return (this.#slots.reduce((sum, { bytes }) => sum + bytes, 0) * 1000) / lasted;
  }

  #forget(now: number): void {
    while ((this.#slots[0]?.start ?? now) < now - WINDOW_MS) this.#slots.shift();
  }
}
