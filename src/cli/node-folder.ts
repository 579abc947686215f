import { type FileHandle, mkdir, open, readdir, stat, unlink } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { StudioError } from '../core/base/errors.ts';
import type { ByteSink, TargetFolder } from '../core/bytes/byte-sink.ts';
import type { ByteSource, SourceFolder } from '../core/bytes/byte-source.ts';
import { fileExistsError, missingFileError } from '../core/bytes/refusals.ts';
import { NodeFileSource, nodeErrorCode } from './node-file-source.ts';

/** True for a name that stays in its folder. */
function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name);
}

async function openIn(
  path: string,
  label: string,
  name: string,
  names: () => Promise<readonly string[]>,
): Promise<ByteSource> {
  if (!isPlainName(name)) throw missingFileError(label, name, await names());
  try {
    return await NodeFileSource.open(join(path, name));
  } catch (cause) {
    if (nodeErrorCode(cause) !== 'ENOENT') throw cause;
    throw missingFileError(label, name, await names());
  }
}

/** Names of the files in `path`, through symbolic links: download caches are made of them. */
async function fileNames(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  const names = await Promise.all(
    entries.map(async (entry) => {
      if (!entry.isSymbolicLink()) return entry.isFile() ? entry.name : undefined;
      const isFile = await stat(join(path, entry.name)).then(
        (stats) => stats.isFile(),
        () => false,
      );
      return isFile ? entry.name : undefined;
    }),
  );
  return names.filter((name) => name !== undefined);
}

/**
 * Opens a folder on disk to read from. Its label is the folder's own name.
 * @throws StudioError family `source`: `missing-folder`, `not-a-folder`, `unreadable-folder`.
 */
export async function openNodeFolder(path: string): Promise<SourceFolder> {
  const folder = resolve(path);
  const names = await fileNames(folder).catch((cause: unknown) => {
    throw folderRefusal(path, cause);
  });
  const label = basename(folder);
  return { label, names, open: (name) => openIn(folder, label, name, async () => names) };
}

function folderRefusal(path: string, cause: unknown): StudioError {
  const code = nodeErrorCode(cause);
  const details = { folder: path };
  if (code === 'ENOENT') {
    return new StudioError('source', 'missing-folder', `There is no folder "${path}".`, {
      nextStep: 'Check the path: MODEL is the folder that holds config.json and the .safetensors files.',
      details,
      cause,
    });
  }
  if (code === 'ENOTDIR') {
    return new StudioError('source', 'not-a-folder', `"${path}" is a file, not a folder.`, {
      nextStep: 'Give the folder that the file lies in.',
      details,
      cause,
    });
  }
  return new StudioError('source', 'unreadable-folder', `The folder "${path}" cannot be read (${code}).`, {
    nextStep: 'Check that you may read the folder and that its disk is connected.',
    details,
    cause,
  });
}

/** Bytes of one write to the system: for larger ones Linux looks for memory in one piece, at up to ten times the time. */
const WRITE_BYTES = 512 * 2 ** 10;

/** Bytes after which the disk is told to begin, so that it writes while the next pieces are read and hashed. */
const FLUSH_BYTES = 64 * 2 ** 20;

/** Writes one new file, and makes sure that it is on the disk when `close` resolves. */
class NodeFileSink implements ByteSink {
  readonly #handle: FileHandle;
  readonly #folder: string;
  readonly #path: string;
  #unflushed = 0;
  #flushing: Promise<void> = Promise.resolve();

  constructor(handle: FileHandle, folder: string, path: string) {
    this.#handle = handle;
    this.#folder = folder;
    this.#path = path;
  }

  async write(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let done = 0; done < chunk.byteLength; ) {
      const { bytesWritten } = await this.#handle.write(chunk, done, Math.min(WRITE_BYTES, chunk.byteLength - done));
      done += bytesWritten;
    }
    this.#unflushed += chunk.byteLength;
    if (this.#unflushed < FLUSH_BYTES) return;
    this.#unflushed = 0;
    // A system reports a failed write of its cache once: here or to `close`, never both.
    await this.#flushing;
    this.#flushing = this.#handle.datasync();
    this.#flushing.catch(() => undefined);
  }

  async close(): Promise<void> {
    try {
      await this.#flushing;
      await this.#handle.sync();
    } finally {
      await this.#handle.close();
    }
    await syncFolder(this.#folder);
  }

  async abort(): Promise<void> {
    await this.#flushing.catch(() => undefined);
    // Closing fails when a failed `close` has closed it already.
    await this.#handle.close().catch(() => undefined);
    await unlink(this.#path);
  }
}

/** Makes a new name in the folder outlast a power cut. Where folders cannot be opened (Windows) the file's own sync must do. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

class NodeTargetFolder implements TargetFolder {
  readonly label: string;
  readonly #path: string;

  constructor(path: string) {
    this.label = basename(path);
    this.#path = path;
  }

  /** Sub-folders are listed too: a folder with one is not empty. */
  list(): Promise<readonly string[]> {
    return readdir(this.#path);
  }

  async create(name: string): Promise<ByteSink> {
    if (!isPlainName(name)) {
      throw new StudioError('export', 'bad-file-name', `"${name}" cannot be the name of a file in "${this.label}".`, {
        nextStep: 'Rename the file in the source folder, then open the model again.',
        details: { folder: this.label, file: name },
      });
    }
    const path = join(this.#path, name);
    try {
      return new NodeFileSink(await open(path, 'wx'), this.#path, path);
    } catch (cause) {
      throw nodeErrorCode(cause) === 'EEXIST' ? fileExistsError(this.label, name, cause) : cause;
    }
  }

  open(name: string): Promise<ByteSource> {
    return openIn(this.#path, this.label, name, () => this.list());
  }

  async remove(name: string): Promise<void> {
    if (!isPlainName(name)) throw missingFileError(this.label, name, await this.list());
    try {
      await unlink(join(this.#path, name));
    } catch (cause) {
      throw nodeErrorCode(cause) === 'ENOENT' ? missingFileError(this.label, name, await this.list()) : cause;
    }
  }
}

/**
 * Opens a folder on disk to write to, and makes it first when it is not there. No file in it is written over.
 * @throws StudioError family `export` code `bad-target` when the folder cannot be made or is a file.
 */
export async function createTargetFolder(path: string): Promise<TargetFolder> {
  const folder = resolve(path);
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    const code = nodeErrorCode(cause);
    const reason =
      code === 'EEXIST' || code === 'ENOTDIR' ? 'a file stands in its place' : `it cannot be made (${code})`;
    throw new StudioError('export', 'bad-target', `"${path}" cannot be the target folder: ${reason}.`, {
      nextStep: 'Give another folder to --out, on a disk that you may write to.',
      details: { folder: path },
      cause,
    });
  }
  return new NodeTargetFolder(folder);
}
