import type { JournalStore, StoredFile, StoreWriter } from './journal.ts';

/** A store in memory that dies after a number of steps (pieces written, files closed or removed). */
export class MemoryStore implements JournalStore {
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  /** Steps that still succeed. */
  life = Number.POSITIVE_INFINITY;
  reads = 0;

  #live(): void {
    if (this.life-- <= 0) throw new Error('killed');
  }

  async open(name: string): Promise<StoredFile | undefined> {
    const bytes = this.files.get(name);
    if (bytes === undefined) return undefined;
    return {
      size: bytes.byteLength,
      read: async (offset, length) => {
        this.reads += 1;
        return bytes.slice(offset, offset + length);
      },
    };
  }

  async create(name: string): Promise<StoreWriter> {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    return {
      write: async (bytes) => {
        this.#live();
        pieces.push(bytes.slice());
      },
      close: async () => {
        this.#live();
        this.files.set(name, new Uint8Array(await new Blob(pieces).arrayBuffer()));
      },
      abort: async () => {},
    };
  }

  async remove(name: string): Promise<void> {
    this.#live();
    this.files.delete(name);
  }

  async names(): Promise<readonly string[]> {
    return [...this.files.keys()];
  }
}
