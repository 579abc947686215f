import type { ByteSource } from './byte-source.ts';

/** Append-only writer of one file. After `close` resolves the bytes can be re-opened; before it nothing is promised. */
export interface ByteSink {
  /** Appends all of `chunk`; the caller may reuse the buffer once the promise resolves. */
  write(chunk: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
  /** Gives the file up and removes what was written of it, as far as the platform allows. */
  abort(reason: unknown): Promise<void>;
}

/** A flat folder that is written to: an export's destination. */
export interface TargetFolder {
  readonly label: string;
  /** Names of the files that are there now. */
  list(): Promise<readonly string[]>;
  /** Starts a new file. @throws StudioError family `export` code `file-exists` rather than writing over one. */
  create(name: string): Promise<ByteSink>;
  open(name: string): Promise<ByteSource>;
  remove(name: string): Promise<void>;
}
