import type { TransferMeter } from './transfer-meter.ts';

/** Random access to the bytes of one file. Implementations: Blob, HTTP range, memory, Node file. */
export interface ByteSource {
  /** File name for messages and manifests, without a folder. */
  readonly name: string;
  /** Size in bytes, known before anything is read. */
  readonly size: number;
  /**
   * Reads exactly `length` bytes from `offset`.
   * @throws StudioError family `source`: `out-of-range`, `short-read`, `changed`, `unreadable`.
   */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

/** A flat folder of source files: what a checkpoint is made of. Never written to. */
export interface SourceFolder {
  /** What the person opened: a folder's name, `hf:org/name@commit`, or `demo`. */
  readonly label: string;
  /** File names in the folder (no sub-folders), in no particular order. */
  readonly names: readonly string[];
  /** sha256 in hex of whole files, by name, where the place that they come from publishes it. */
  readonly published?: ReadonlyMap<string, string>;
  /** What came over the network so far, where the folder is read over one. */
  readonly transfer?: Pick<TransferMeter, 'bytes' | 'bytesPerSecond'>;
  /** @throws StudioError family `source` code `missing-file` when the name is not in the folder. */
  open(name: string, signal?: AbortSignal): Promise<ByteSource>;
}
