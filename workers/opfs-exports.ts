import { makeZip, predictLength } from 'client-zip';
import { CHUNK_BYTES } from '../src/core/export/byte-stream.ts';
import { DirectoryTarget } from './directory-target.ts';

const FOLDER = 'exports';
/** The same export gives the same zip: its entries carry this date (local time, as zip dates are). */
const ENTRY_DATE = new Date(2000, 0, 1);

/** A file of the export as it lies in the private file system. */
export interface PackedFile {
  readonly name: string;
  readonly file: File;
}

/** Room for exports in the origin's private file system. One export at a time uses it. */
export class OpfsExports {
  readonly #directory: FileSystemDirectoryHandle;

  private constructor(directory: FileSystemDirectoryHandle) {
    this.#directory = directory;
  }

  /** Opens the room and clears it of earlier zips and of what a killed export left. */
  static async open(root: FileSystemDirectoryHandle): Promise<OpfsExports> {
    const directory = await root.getDirectoryHandle(FOLDER, { create: true });
    const names: string[] = [];
    for await (const name of directory.keys()) names.push(name);
    for (const name of names) await directory.removeEntry(name, { recursive: true });
    return new OpfsExports(directory);
  }

  createFolder(name: string): Promise<FileSystemDirectoryHandle> {
    return this.#directory.getDirectoryHandle(name, { create: true });
  }

  removeFolder(name: string): Promise<void> {
    return this.#directory.removeEntry(name, { recursive: true });
  }

  /** Streams the files, stored and not compressed, into `<name>.zip` under a folder `<name>/`. */
  async zip(
    name: string,
    files: readonly PackedFile[],
    signal: AbortSignal,
    onBytes: (bytes: number) => void,
  ): Promise<File> {
    const sink = await new DirectoryTarget(this.#directory).create(`${name}.zip`);
    const entries = files.map(({ name: entry, file }) => ({
      name: `${name}/${entry}`,
      input: file,
      lastModified: ENTRY_DATE,
    }));
    const writable = new WritableStream<Uint8Array<ArrayBuffer>>({
      write: (chunk) => sink.write(chunk),
      close: () => sink.close(),
      abort: (reason) => sink.abort(reason),
    });
    try {
      await makeZip(entries).pipeThrough(gather(CHUNK_BYTES, onBytes), { signal }).pipeTo(writable, { signal });
    } catch (error) {
      await sink.abort(error).catch(() => undefined);
      throw error;
    }
    return (await this.#directory.getFileHandle(`${name}.zip`)).getFile();
  }
}

/** Size in bytes that the zip of these files will have. */
export function zipSize(name: string, files: readonly { readonly name: string; readonly size: number }[]): number {
  return Number(
    predictLength(files.map((file) => ({ name: `${name}/${file.name}`, size: file.size, lastModified: ENTRY_DATE }))),
  );
}

/** Joins small pieces to larger ones: a write of its own for every zip header would be slow. */
function gather(
  chunkBytes: number,
  onBytes: (bytes: number) => void,
): TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
  let buffer = new Uint8Array(chunkBytes);
  let filled = 0;
  const flush = (controller: TransformStreamDefaultController<Uint8Array<ArrayBuffer>>): void => {
    if (filled === 0) return;
    controller.enqueue(buffer.subarray(0, filled));
    onBytes(filled);
    buffer = new Uint8Array(chunkBytes);
    filled = 0;
  };
  return new TransformStream({
    transform(piece, controller) {
      for (let offset = 0; offset < piece.byteLength; ) {
        const part = piece.subarray(offset, offset + chunkBytes - filled);
        buffer.set(part, filled);
        filled += part.byteLength;
        offset += part.byteLength;
        if (filled === chunkBytes) flush(controller);
      }
    },
    flush,
  });
}
