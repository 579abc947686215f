import { StudioError } from '../src/core/base/errors.ts';
import { BlobSource } from '../src/core/bytes/blob-source.ts';
import type { ByteSource, SourceFolder } from '../src/core/bytes/byte-source.ts';
import { changedError, missingFileError, unreadableError } from '../src/core/bytes/refusals.ts';
import type { VersionedSource } from '../src/core/bytes/source-version.ts';
import type { ChosenFile } from '../src/core/protocol/source-spec.ts';

/** The refusal behind what the browser throws when a file of a folder cannot be had. */
function refusalOf(name: string, cause: unknown): StudioError {
  const reason = cause instanceof Error ? cause.name : '';
  if (reason === 'NotFoundError') return changedError(name, 'it was moved or deleted', cause);
  if (reason === 'NotAllowedError' || reason === 'SecurityError') {
    return new StudioError('source', 'no-permission', `The browser no longer lets this page read "${name}".`, {
      nextStep: 'Open the folder again, and allow the page to read it when the browser asks.',
      details: { file: name },
      cause,
    });
  }
  return unreadableError(name, cause instanceof Error ? cause.message : String(cause), cause);
}

/**
 * A ByteSource over a file of a folder that the person opened. The file is fetched anew from its handle for every read,
 * and must have the size and time that it had at first.
 */
class HandleSource implements VersionedSource {
  readonly name: string;
  readonly size: number;
  readonly #handle: FileSystemFileHandle;
  readonly #modified: number;

  private constructor(handle: FileSystemFileHandle, { size, lastModified }: Omit<ChosenFile, 'name'>) {
    this.name = handle.name;
    this.size = size;
    this.#handle = handle;
    this.#modified = lastModified;
  }

  /** Time of modification in milliseconds, as text. */
  get version(): string {
    return String(this.#modified);
  }

  /** `chosen`: how the file was when it was chosen; left out: as it is now. @throws as `read`. */
  static async open(handle: FileSystemFileHandle, chosen?: ChosenFile): Promise<HandleSource> {
    const file = await fileOf(handle);
    const source = new HandleSource(handle, chosen ?? file);
    source.#check(file);
    return source;
  }

  /** @throws StudioError family `source`: `out-of-range`, `changed`, `short-read`, `unreadable`, `no-permission`. */
  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    signal?.throwIfAborted();
    const file = await fileOf(this.#handle);
    this.#check(file);
    // From here on the browser refuses to read a file that is no longer the one it handed out.
    return new BlobSource(file, this.name).read(offset, length, signal);
  }

  #check({ size, lastModified }: File): void {
    if (size !== this.size) throw changedError(this.name, `it had ${this.size} bytes and now has ${size}`);
    if (lastModified !== this.#modified) throw changedError(this.name, 'it was written to');
  }
}

function fileOf(handle: FileSystemFileHandle): Promise<File> {
  return handle.getFile().catch((cause: unknown) => {
    throw refusalOf(handle.name, cause);
  });
}

/** A SourceFolder over a folder's handle: it outlives a visit of the page, as a list of files does not. */
export class DirectorySource implements SourceFolder {
  readonly label: string;
  readonly names: readonly string[];
  readonly #handles: ReadonlyMap<string, FileSystemFileHandle>;
  readonly #chosen: ReadonlyMap<string, ChosenFile>;
  readonly #opened = new Map<string, Promise<HandleSource>>();

  private constructor(
    label: string,
    handles: ReadonlyMap<string, FileSystemFileHandle>,
    chosen: readonly ChosenFile[],
  ) {
    this.label = label;
    this.names = [...handles.keys()];
    this.#handles = handles;
    this.#chosen = new Map(chosen.map((file) => [file.name, file]));
  }

  /**
   * Lists the folder; reads no file. Sub-folders and hidden files are left out. Files in `chosen` are held to what it
   * says of them. @throws StudioError family `source`.
   */
  static async open(
    label: string,
    directory: FileSystemDirectoryHandle,
    chosen: readonly ChosenFile[] = [],
  ): Promise<DirectorySource> {
    const handles = new Map<string, FileSystemFileHandle>();
    try {
      for await (const entry of directory.values()) {
        if (entry.kind === 'file' && !entry.name.startsWith('.')) handles.set(entry.name, entry);
      }
    } catch (cause) {
      throw refusalOf(label, cause);
    }
    return new DirectorySource(label, handles, chosen);
  }

  async open(name: string, signal?: AbortSignal): Promise<ByteSource> {
    signal?.throwIfAborted();
    const handle = this.#handles.get(name);
    if (handle === undefined) throw missingFileError(this.label, name, this.names);
    // One source per file, so that all readers hold it to the same version.
    const opened = this.#opened.get(name) ?? HandleSource.open(handle, this.#chosen.get(name));
    this.#opened.set(name, opened);
    try {
      return await opened;
    } catch (error) {
      this.#opened.delete(name);
      throw error;
    }
  }
}
