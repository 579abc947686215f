import { BlobSource } from '../src/core/bytes/blob-source.ts';
import type { ByteSink, TargetFolder } from '../src/core/bytes/byte-sink.ts';
import type { ByteSource } from '../src/core/bytes/byte-source.ts';
import { fileExistsError, missingFileError } from '../src/core/bytes/refusals.ts';
import { PrivateSink, PrivateSource, privateAccess } from './private-file.ts';
import { isNamed, targetFailure } from './target-failure.ts';

/** A writable stream: data go to the browser's own half-written copy and appear under the name at `close`. */
class WritableSink implements ByteSink {
  readonly #stream: FileSystemWritableFileStream;
  readonly #remove: () => Promise<void>;

  constructor(stream: FileSystemWritableFileStream, remove: () => Promise<void>) {
    this.#stream = stream;
    this.#remove = remove;
  }

  write(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#stream.write(chunk);
  }

  close(): Promise<void> {
    return this.#stream.close();
  }

  async abort(reason: unknown): Promise<void> {
    await this.#stream.abort(reason).catch(() => undefined);
    // An aborted stream leaves the empty file that createWritable began with.
    await this.#remove();
  }
}

/** A folder that the person chose, or one of the origin's private file system. */
export class DirectoryTarget implements TargetFolder {
  readonly #handle: FileSystemDirectoryHandle;

  constructor(handle: FileSystemDirectoryHandle) {
    this.#handle = handle;
  }

  get label(): string {
    return this.#handle.name;
  }

  /** Sub-folders are listed too: a folder with one is not empty. */
  list(): Promise<readonly string[]> {
    return this.#guard('', async () => {
      const names: string[] = [];
      for await (const name of this.#handle.keys()) names.push(name);
      return names;
    });
  }

  create(name: string): Promise<ByteSink> {
    return this.#guard(name, async () => {
      if (await this.#exists(name)) throw fileExistsError(this.label, name);
      const file = await this.#handle.getFileHandle(name, { create: true });
      const sink = await this.#sinkOf(file);
      return {
        write: (chunk) => this.#guard(name, () => sink.write(chunk)),
        close: () => this.#guard(name, () => sink.close()),
        abort: (reason) => this.#guard(name, () => sink.abort(reason)),
      };
    });
  }

  open(name: string): Promise<ByteSource> {
    return this.#guard(name, async () => {
      try {
        const file = await this.#handle.getFileHandle(name);
        return (await PrivateSource.open(file)) ?? new BlobSource(await file.getFile(), name);
      } catch (cause) {
        if (!isNamed(cause, 'NotFoundError', 'TypeMismatchError')) throw cause;
        throw missingFileError(this.label, name, await this.list());
      }
    });
  }

  remove(name: string): Promise<void> {
    return this.#guard(name, () => this.#handle.removeEntry(name));
  }

  async #sinkOf(file: FileSystemFileHandle): Promise<ByteSink> {
    const remove = (): Promise<void> => this.#handle.removeEntry(file.name);
    try {
      const access = await privateAccess(file);
      return access === null ? new WritableSink(await file.createWritable(), remove) : new PrivateSink(access, remove);
    } catch (error) {
      // Asking for the file has made it, empty.
      await remove().catch(() => undefined);
      throw error;
    }
  }

  async #exists(name: string): Promise<boolean> {
    try {
      await this.#handle.getFileHandle(name);
      return true;
    } catch (error) {
      if (isNamed(error, 'NotFoundError')) return false;
      if (isNamed(error, 'TypeMismatchError')) return true;
      throw error;
    }
  }

  async #guard<T>(file: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (cause) {
      throw await targetFailure(cause, this.#handle, file);
    }
  }
}
