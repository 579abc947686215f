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

class MemoryFileHandle {
  readonly kind = 'file';
  readonly name: string;
  readonly #admit: () => void;
  bytes = new Uint8Array();

  constructor(name: string, admit: () => void) {
    this.name = name;
    this.#admit = admit;
  }

  async getFile(): Promise<File> {
    return new File([this.bytes], this.name);
  }

  async createWritable(): Promise<MemoryWritable> {
    this.#admit();
    const commit = (bytes: Uint8Array<ArrayBuffer>): void => {
      this.bytes = bytes;
    };
    return new MemoryWritable(commit, this.#admit);
  }
}

/** Test fixture: a FileSystemDirectoryHandle in memory, as far as the studio uses it, which can lose its permission. */
export class MemoryDirectory {
  readonly kind = 'directory';
  readonly name: string;
  readonly entries = new Map<string, MemoryFileHandle | MemoryDirectory>();
  /** The write with this number from now fails, and all that follow. Undefined: none does. */
  writesUntilRefused: number | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** The same object under the browser's type. */
  get handle(): FileSystemDirectoryHandle {
    return this as unknown as FileSystemDirectoryHandle;
  }

  async *keys(): AsyncGenerator<string> {
    yield* [...this.entries.keys()];
  }

  async getFileHandle(name: string, options: { create?: boolean } = {}): Promise<MemoryFileHandle> {
    const found = this.entries.get(name);
    if (found instanceof MemoryFileHandle) return found;
    if (found !== undefined) throw failure('TypeMismatchError');
    if (options.create !== true) throw failure('NotFoundError');
    const created = new MemoryFileHandle(name, () => this.#admit());
    this.entries.set(name, created);
    return created;
  }

  async getDirectoryHandle(name: string, options: { create?: boolean } = {}): Promise<MemoryDirectory> {
    const found = this.entries.get(name);
    if (found instanceof MemoryDirectory) return found;
    if (found !== undefined) throw failure('TypeMismatchError');
    if (options.create !== true) throw failure('NotFoundError');
    const created = new MemoryDirectory(name);
    this.entries.set(name, created);
    return created;
  }

  async removeEntry(name: string): Promise<void> {
    if (!this.entries.delete(name)) throw failure('NotFoundError');
  }

  #admit(): void {
    if (this.writesUntilRefused === undefined) return;
    if (this.writesUntilRefused-- <= 0) throw failure('NotAllowedError');
  }
}
