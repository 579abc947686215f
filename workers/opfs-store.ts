import type { JournalStore, StoredFile, StoreWriter } from '../src/core/calibration/journal.ts';

function isNotFound(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'NotFoundError';
}

/** A folder of the origin's private file system as a journal's store; a file changes when its writer is closed, not before. */
export class OpfsStore implements JournalStore {
  readonly #folder: FileSystemDirectoryHandle;

  private constructor(folder: FileSystemDirectoryHandle) {
    this.#folder = folder;
  }

  /** `path`: folder names below the origin's root, made where missing. */
  static async open(path: readonly string[]): Promise<OpfsStore> {
    let folder = await navigator.storage.getDirectory();
    for (const name of path) folder = await folder.getDirectoryHandle(name, { create: true });
    return new OpfsStore(folder);
  }

  async open(name: string): Promise<StoredFile | undefined> {
    try {
      const file = await (await this.#folder.getFileHandle(name)).getFile();
      return {
        size: file.size,
        read: async (offset, length) => new Uint8Array(await file.slice(offset, offset + length).arrayBuffer()),
      };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async create(name: string): Promise<StoreWriter> {
    const stream = await (await this.#folder.getFileHandle(name, { create: true })).createWritable();
    return {
      write: (bytes) => stream.write(bytes),
      close: () => stream.close(),
      abort: () => stream.abort(),
    };
  }

  async remove(name: string): Promise<void> {
    await this.#folder.removeEntry(name).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }

  async names(): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const name of this.#folder.keys()) names.push(name);
    return names;
  }
}
