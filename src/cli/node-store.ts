import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JournalStore } from '../core/calibration/journal.ts';

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** A folder on disk as a journal's store: a file is written beside its place, synced, and renamed into it. */
export class NodeStore implements JournalStore {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(folder: string): Promise<NodeStore> {
    await mkdir(folder, { recursive: true });
    return new NodeStore(folder);
  }

  async read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      // A copy of its own: Node's small reads come out of a shared pool.
      return new Uint8Array(await readFile(join(this.#folder, name)));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const beside = join(this.#folder, `${name}.part`);
    const file = await open(beside, 'w');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, join(this.#folder, name));
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.#folder, name), { force: true });
  }

  async names(): Promise<readonly string[]> {
    return readdir(this.#folder);
  }
}
