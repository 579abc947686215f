function failure(name: string): DOMException {
  return new DOMException(name, name);
}

class MemoryWritable extends WritableStream<Uint8Array> {
  constructor(commit: (bytes: Uint8Array<ArrayBuffer>) => void, admit: () => void) {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    super({
      write: (chunk) => {
        admit();
        chunks.push(new Uint8Array(chunk));
      },
      close: () => {
        const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
        let at = 0;
        for (const chunk of chunks) {
          whole.set(chunk, at);
          at += chunk.byteLength;
        }
        commit(whole);
      },
    });
  }

  async write(chunk: Uint8Array): Promise<void> {
    const writer = this.getWriter();
    try {
      await writer.write(chunk);
    } finally {
      writer.releaseLock();
    }
  }

  override async close(): Promise<void> {
    const writer = this.getWriter();
    await writer.close();
  }
}

/** Direct access, as far as the studio uses it: bytes are in the file as soon as they are written. */
class MemoryAccess {
  readonly #file: MemoryFileHandle;
  readonly #most: number;

  constructor(file: MemoryFileHandle, most: number) {
    this.#file = file;
    this.#most = most;
  }

  /** Writes no more than the directory's `accessWrites` bytes at once. */
  write(chunk: Uint8Array, { at }: { readonly at: number }): number {
    this.#file.admit();
    const part = chunk.subarray(0, this.#most);
    const whole = new Uint8Array(Math.max(this.#file.bytes.byteLength, at + part.byteLength));
    whole.set(this.#file.bytes);
    whole.set(part, at);
    this.#file.bytes = whole;
    return part.byteLength;
  }

  read(into: Uint8Array, { at }: { readonly at: number }): number {
    const part = this.#file.bytes.subarray(at, at + into.byteLength);
    into.set(part);
    return part.byteLength;
  }

  getSize(): number {
    return this.#file.bytes.byteLength;
  }

  flush(): void {}

  close(): void {
    this.#file.held = false;
  }
}

class MemoryFileHandle {
  readonly kind = 'file';
  readonly name: string;
  readonly #directory: MemoryDirectory;
  bytes = new Uint8Array();
  /** Direct access is open. */
  held = false;

  constructor(name: string, directory: MemoryDirectory) {
    this.name = name;
    this.#directory = directory;
  }

  admit(): void {
    this.#directory.admit();
  }

  async getFile(): Promise<File> {
    return new File([this.bytes], this.name);
  }

  async createWritable(): Promise<MemoryWritable> {
    this.admit();
    const commit = (bytes: Uint8Array<ArrayBuffer>): void => {
      this.bytes = bytes;
    };
    return new MemoryWritable(commit, () => this.admit());
  }

  async createSyncAccessHandle(): Promise<MemoryAccess> {
    const most = this.#directory.accessWrites;
    if (most === undefined) throw failure('InvalidStateError');
    if (this.held) throw failure('NoModificationAllowedError');
    this.held = true;
    return new MemoryAccess(this, most);
  }
}

/** Test fixture: a FileSystemDirectoryHandle in memory, as far as the studio uses it, which fails as browsers do. */
export class MemoryDirectory {
  readonly kind = 'directory';
  readonly name: string;
  readonly entries = new Map<string, MemoryFileHandle | MemoryDirectory>();
  /** The write with this number from now fails, and all that follow. Undefined: none does. */
  writesUntilRefused: number | undefined;
  /** Name of the DOMException of those writes. */
  refusal = 'NotAllowedError';
  /** Deleted under the page's feet: nothing in it is found any more. */
  gone = false;
  /** Of the private file system: gives direct access, which writes this many bytes at once at most. Undefined: none. */
  accessWrites: number | undefined;

  constructor(name: string, accessWrites?: number) {
    this.name = name;
    this.accessWrites = accessWrites;
  }

  /** The same object under the browser's type. */
  get handle(): FileSystemDirectoryHandle {
    return this as unknown as FileSystemDirectoryHandle;
  }

  async *keys(): AsyncGenerator<string> {
    this.#find();
    yield* [...this.entries.keys()];
  }

  async getFileHandle(name: string, options: { create?: boolean } = {}): Promise<MemoryFileHandle> {
    this.#find();
    const found = this.entries.get(name);
    if (found instanceof MemoryFileHandle) return found;
    if (found !== undefined) throw failure('TypeMismatchError');
    if (options.create !== true) throw failure('NotFoundError');
    const created = new MemoryFileHandle(name, this);
    this.entries.set(name, created);
    return created;
  }

  async getDirectoryHandle(name: string, options: { create?: boolean } = {}): Promise<MemoryDirectory> {
    const found = this.entries.get(name);
    if (found instanceof MemoryDirectory) return found;
    if (found !== undefined) throw failure('TypeMismatchError');
    if (options.create !== true) throw failure('NotFoundError');
    const created = new MemoryDirectory(name, this.accessWrites);
    this.entries.set(name, created);
    return created;
  }

  async removeEntry(name: string): Promise<void> {
    this.#find();
    const found = this.entries.get(name);
    if (found instanceof MemoryFileHandle && found.held) throw failure('NoModificationAllowedError');
    if (!this.entries.delete(name)) throw failure('NotFoundError');
  }

  admit(): void {
    this.#find();
    if (this.writesUntilRefused === undefined) return;
    if (this.writesUntilRefused-- <= 0) throw failure(this.refusal);
  }

  #find(): void {
    if (this.gone) throw failure('NotFoundError');
  }
}
