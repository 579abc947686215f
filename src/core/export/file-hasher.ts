import type { TensorExtent } from './tensor-cuts.ts';

/** sha256 of a whole file and of each tensor in it, lower-case hexadecimal. */
export interface FileHashes {
  readonly sha256: string;
  readonly tensors: ReadonlyMap<string, string>;
}

/** Hashes a file that streams by from its first byte. */
export interface FileHasher {
  /** Takes the next bytes. The caller may reuse `chunk` once the promise resolves. */
  update(chunk: Uint8Array<ArrayBuffer>): Promise<void> | void;
  /** Called once, after the last byte. */
  digest(): Promise<FileHashes> | FileHashes;
}

/**
 * Begins a file that holds tensors at `extents`, ascending by offset and without overlap. Each platform brings its
 * fastest: hashing, not copying, is what an export spends its time on.
 */
export type OpenFileHasher = (extents: readonly TensorExtent[]) => Promise<FileHasher>;
