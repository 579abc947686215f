import type { ByteSink, TargetFolder } from './byte-sink.ts';
import type { ByteSource, SourceFolder } from './byte-source.ts';
import { MemorySource } from './memory-source.ts';
import { fileExistsError, missingFileError } from './refusals.ts';

/** A folder in memory, to read from and to write to. A file appears when its sink is closed. */
export class MemoryFolder implements SourceFolder, TargetFolder {
  readonly label: string;
  readonly #files: Map<string, Uint8Array<ArrayBuffer>>;
  readonly #beingWritten = new Set<string>();

  constructor(label: string, files: Iterable<readonly [name: string, bytes: Uint8Array<ArrayBuffer>]> = []) {
    this.label = label;
    this.#files = new Map(files);
  }

  get names(): readonly string[] {
    return [...this.#files.keys()];
  }

  async list(): Promise<readonly string[]> {
    return this.names;
  }

  async open(name: string, signal?: AbortSignal): Promise<ByteSource> {
    signal?.throwIfAborted();
    const bytes = this.#files.get(name);
    if (bytes === undefined) throw missingFileError(this.label, name, this.names);
    return new MemorySource(name, bytes);
  }

  async create(name: string): Promise<ByteSink> {
    if (this.#files.has(name) || this.#beingWritten.has(name)) throw fileExistsError(this.label, name);
    this.#beingWritten.add(name);
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    return {
      write: async (chunk) => {
        chunks.push(chunk.slice());
      },
      close: async () => {
        this.#beingWritten.delete(name);
        this.#files.set(name, joined(chunks));
      },
      abort: async () => {
        this.#beingWritten.delete(name);
      },
    };
  }

  async remove(name: string): Promise<void> {
    if (!this.#files.delete(name)) throw missingFileError(this.label, name, this.names);
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
