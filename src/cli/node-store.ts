import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StudioError } from '../core/base/errors.ts';
import type { JournalStore, StoredFile, StoreWriter } from '../core/calibration/journal.ts';

/** Read at once, at most: Node's reads take up to 2 GiB. */
const PIECE_BYTES = 256 * 1024 * 1024;

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Opened for each read: hidden states are read a block at a time, and a run that ends leaves no descriptor behind. */
class NodeStoredFile implements StoredFile {
  readonly size: number;
  readonly #path: string;

  constructor(path: string, size: number) {
    this.#path = path;
    this.size = size;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const file = await open(this.#path);
    try {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await file.read(bytes, done, Math.min(PIECE_BYTES, length - done), offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    } finally {
      await file.close();
    }
  }
}

/** Makes a rename durable; some systems cannot sync folders, and lose nothing that matters by it. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder).catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/** A folder on disk as a journal's store: a file is written beside its place, synced, and renamed into it. */
export class NodeStore implements JournalStore {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(folder: string): Promise<NodeStore> {
    try {
      await mkdir(folder, { recursive: true });
    } catch (cause) {
      throw new StudioError('calibration', 'bad-journal', `"${folder}" cannot hold the journal of this run.`, {
        nextStep: 'Give --resume a folder that you may write into; it is made where missing.',
        details: { folder },
        cause,
      });
    }
    return new NodeStore(folder);
  }

  async open(name: string): Promise<StoredFile | undefined> {
    const path = join(this.#folder, name);
    try {
      return new NodeStoredFile(path, (await stat(path)).size);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async create(name: string): Promise<StoreWriter> {
    const beside = join(this.#folder, `${name}.part`);
    const file = await open(beside, 'w');
    return {
      write: async (bytes) => {
        await file.writeFile(bytes);
      },
      close: async () => {
        try {
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(beside, join(this.#folder, name));
        await syncFolder(this.#folder);
      },
      abort: async () => {
        await file.close().catch(() => undefined);
        await rm(beside, { force: true });
      },
    };
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.#folder, name), { force: true });
  }

  async names(): Promise<readonly string[]> {
    return readdir(this.#folder);
  }
}
