/** What a command may touch of the process: in tests it is a recorder. */
export interface CliIo {
  /** Results. */
  readonly stdout: (text: string) => void;
  /** Progress and refusals. */
  readonly stderr: (text: string) => void;
  /** True when stderr is a terminal, where a line can be written over. */
  readonly isTerminal: boolean;
  /** Fires on Ctrl-C. */
  readonly signal: AbortSignal;
}

/** A command line that a command cannot work with is a `usage` error; exit code 2. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** Runs one command with the arguments after its name and gives the exit code; refusals are thrown as StudioError. */
export type CommandRun = (argv: readonly string[], io: CliIo) => Promise<number>;
