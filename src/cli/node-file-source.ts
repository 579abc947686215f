import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { FillingSource } from '../core/bytes/filling-source.ts';
import { checkRange } from '../core/bytes/memory-source.ts';
import { changedError, shortReadError, unreadableError } from '../core/bytes/refusals.ts';
import type { VersionedSource } from '../core/bytes/source-version.ts';

/** Bytes read between two looks at the abort signal. */
const PIECE_BYTES = 64 * 2 ** 20;

interface Version {
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

/** The error code that Node gives (`ENOENT`), or the empty string. */
export function nodeErrorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

async function readFully(handle: FileHandle, into: Uint8Array, offset: number, signal?: AbortSignal): Promise<number> {
  let done = 0;
  while (done < into.byteLength) {
    signal?.throwIfAborted();
    const length = Math.min(PIECE_BYTES, into.byteLength - done);
    const { bytesRead } = await handle.read(into, done, length, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/**
 * A ByteSource over a file on disk. It holds no handle between reads, so that a checkpoint of hundreds of shards leaves
 * none open; size and time of modification are compared on every read.
 */
export class NodeFileSource implements FillingSource, VersionedSource {
  readonly name: string;
  readonly size: number;
  readonly #path: string;
  readonly #version: Version;

  private constructor(path: string, version: Version) {
    this.name = basename(path);
    this.size = Number(version.size);
    this.#path = path;
    this.#version = version;
  }

  /** Time of modification in nanoseconds, as text. */
  get version(): string {
    return String(this.#version.mtimeNs);
  }

  /** @throws StudioError family `source` code `unreadable`; a missing file as Node's own ENOENT. */
  static async open(path: string): Promise<NodeFileSource> {
    const handle = await open(path, 'r').catch((cause: unknown) => {
      throw nodeErrorCode(cause) === 'ENOENT' ? cause : unreadableError(basename(path), nodeErrorCode(cause), cause);
    });
    try {
      const stats = await handle.stat({ bigint: true });
      if (!stats.isFile()) throw unreadableError(basename(path), 'it is not a file');
      return new NodeFileSource(path, stats);
    } finally {
      await handle.close();
    }
  }

  /** @throws StudioError family `source`: `out-of-range`, `changed`, `short-read`, `unreadable`. */
  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this.name, this.size, offset, length);
    const bytes = new Uint8Array(length);
    await this.fill(bytes, offset, signal);
    return bytes;
  }

  /** @throws StudioError family `source`: `out-of-range`, `changed`, `short-read`, `unreadable`. */
  async fill(into: Uint8Array<ArrayBuffer>, offset: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    checkRange(this.name, this.size, offset, into.byteLength);
    const handle = await open(this.#path, 'r').catch((cause: unknown) => {
      const code = nodeErrorCode(cause);
      throw code === 'ENOENT'
        ? changedError(this.name, 'it was moved or deleted', cause)
        : unreadableError(this.name, code, cause);
    });
    try {
      const found = await readFully(handle, into, offset, signal);
      // After the bytes, so that a change while they were read is seen as well.
      const { size, mtimeNs } = await handle.stat({ bigint: true });
      if (size !== this.#version.size || mtimeNs !== this.#version.mtimeNs) {
        throw changedError(
          this.name,
          size === this.#version.size ? 'it was written to' : `it had ${this.size} bytes and now has ${size}`,
        );
      }
      if (found !== into.byteLength) throw shortReadError(this.name, offset, into.byteLength, found);
    } catch (cause) {
      if (nodeErrorCode(cause).startsWith('E')) throw unreadableError(this.name, nodeErrorCode(cause), cause);
      throw cause;
    } finally {
      await handle.close();
    }
  }
}
