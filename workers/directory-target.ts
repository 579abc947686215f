import { StudioError } from '../src/core/base/errors.ts';
import { BlobSource } from '../src/core/bytes/blob-source.ts';
import type { ByteSink, TargetFolder } from '../src/core/bytes/byte-sink.ts';
import type { ByteSource } from '../src/core/bytes/byte-source.ts';
import { fileExistsError, missingFileError } from '../src/core/bytes/refusals.ts';

function isNamed(error: unknown, ...names: string[]): boolean {
  return error instanceof DOMException && names.includes(error.name);
}

/** Runs `action`; a permission that was withdrawn becomes a refusal that says so. */
async function guarded<T>(label: string, file: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (!isNamed(cause, 'NotAllowedError', 'SecurityError')) throw cause;
    throw new StudioError('export', 'permission-lost', `The browser no longer allows writing into "${label}".`, {
      nextStep: 'Choose the folder again, allow editing, and start the export once more; finished files are kept.',
      details: { folder: label, file },
      cause,
    });
  }
}

class WritableSink implements ByteSink {
  readonly #directory: FileSystemDirectoryHandle;
  readonly #name: string;
  readonly #stream: FileSystemWritableFileStream;

  constructor(directory: FileSystemDirectoryHandle, name: string, stream: FileSystemWritableFileStream) {
    this.#directory = directory;
    this.#name = name;
    this.#stream = stream;
  }

  write(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    return guarded(this.#directory.name, this.#name, () => this.#stream.write(chunk));
  }

  close(): Promise<void> {
    return guarded(this.#directory.name, this.#name, () => this.#stream.close());
  }

  async abort(reason: unknown): Promise<void> {
    await this.#stream.abort(reason).catch(() => undefined);
    // An aborted stream leaves the empty file that createWritable began with.
    await guarded(this.#directory.name, this.#name, () => this.#directory.removeEntry(this.#name));
  }
}

/**
 * A folder that the person chose, or one of the origin's private file system. Data go to the browser's own half-written
 * copy and appear under the name when the file is closed.
 */
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
    return guarded(this.label, '', async () => {
      const names: string[] = [];
      for await (const name of this.#handle.keys()) names.push(name);
      return names;
    });
  }

  create(name: string): Promise<ByteSink> {
    return guarded(this.label, name, async () => {
      if (await this.#exists(name)) throw fileExistsError(this.label, name);
      const file = await this.#handle.getFileHandle(name, { create: true });
      return new WritableSink(this.#handle, name, await file.createWritable());
    });
  }

  open(name: string): Promise<ByteSource> {
    return guarded(this.label, name, async () => {
      try {
        return new BlobSource(await (await this.#handle.getFileHandle(name)).getFile(), name);
      } catch (cause) {
        if (!isNamed(cause, 'NotFoundError', 'TypeMismatchError')) throw cause;
        throw missingFileError(this.label, name, await this.list());
      }
    });
  }

  remove(name: string): Promise<void> {
    return guarded(this.label, name, () => this.#handle.removeEntry(name));
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
}
