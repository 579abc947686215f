import type { CliIo } from './cli-io.ts';

const TERMINAL_INTERVAL_MS = 100;
const LOG_INTERVAL_MS = 5000;

/** One line of progress on stderr: written over on a terminal, a line every few seconds in a log. */
export class ProgressLine {
  readonly #io: CliIo;
  #last = Number.NEGATIVE_INFINITY;
  #width = 0;

  constructor(io: CliIo) {
    this.#io = io;
  }

  update(text: string): void {
    const now = performance.now();
    if (now - this.#last < (this.#io.isTerminal ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS)) return;
    this.#last = now;
    if (!this.#io.isTerminal) {
      this.#io.stderr(`${text}\n`);
      return;
    }
    this.#io.stderr(`\r${text.padEnd(this.#width)}`);
    this.#width = text.length;
  }

  /** Clears the line, so that what follows starts on a clean one. */
  end(): void {
    if (this.#io.isTerminal && this.#width > 0) this.#io.stderr(`\r${' '.repeat(this.#width)}\r`);
    this.#width = 0;
  }
}
