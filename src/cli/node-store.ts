import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StudioError } from '../core/base/errors.ts';
import type { JournalStore } from '../core/calibration/journal.ts';

const PIECE = 256 * 1024 * 1024;

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

  async read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      const file = await open(join(this.#folder, name));
      try {
        // In pieces: hidden states grow beyond the 2 GiB that readFile takes.
        const bytes = new Uint8Array((await file.stat()).size);
        for (let at = 0; at < bytes.byteLength; ) {
          const { bytesRead } = await file.read(bytes, at, Math.min(PIECE, bytes.byteLength - at), at);
          if (bytesRead === 0) return undefined;
          at += bytesRead;
        }
        return bytes;
      } finally {
        await file.close();
      }
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
