import { isStudioError } from '../base/errors.ts';
import type { ByteSink, TargetFolder } from '../bytes/byte-sink.ts';
import type { ByteSource } from '../bytes/byte-source.ts';
import { type FillingSource, fillFrom } from '../bytes/filling-source.ts';
import { type TargetAction, writeFailure } from './write-failure.ts';

/** Reading the target fails as the disk that is written to, not as a source that could be opened again. */
function ofTarget(cause: unknown): unknown {
  return isStudioError(cause, 'source') ? new Error(cause.message.replace(/\.$/, ''), { cause }) : cause;
}

/** A target folder all of whose failures are refusals of family `export`, as write-failure.ts says. */
export class GuardedTarget implements TargetFolder {
  readonly label: string;
  readonly #target: TargetFolder;
  readonly #missingBytes: () => number;

  /** `missingBytes`: bytes of the export that are not safely on the disk yet. */
  constructor(target: TargetFolder, missingBytes: () => number) {
    this.label = target.label;
    this.#target = target;
    this.#missingBytes = missingBytes;
  }

  list(): Promise<readonly string[]> {
    return this.#guard(this.label, 'listed', () => this.#target.list());
  }

  async create(name: string): Promise<ByteSink> {
    const sink = await this.#guard(name, 'written', () => this.#target.create(name));
    return {
      write: (chunk) => this.#guard(name, 'written', () => sink.write(chunk)),
      close: () => this.#guard(name, 'written', () => sink.close()),
      abort: (reason) => sink.abort(reason),
    };
  }

  async open(name: string): Promise<ByteSource> {
    const source = await this.#guard(name, 'read back', () => this.#target.open(name));
    const fill: FillingSource['fill'] = (into, offset, signal) =>
      this.#guard(name, 'read back', () => fillFrom(source, into, offset, signal));
    const guarded: FillingSource = {
      name: source.name,
      size: source.size,
      fill,
      read: (offset, length, signal) => this.#guard(name, 'read back', () => source.read(offset, length, signal)),
    };
    return guarded;
  }

  remove(name: string): Promise<void> {
    return this.#guard(name, 'removed', () => this.#target.remove(name));
  }

  async #guard<T>(file: string, action: TargetAction, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (cause) {
      throw writeFailure(ofTarget(cause), file, this.#missingBytes(), action);
    }
  }
}

/** Writes a whole small file and closes it. What was written of it is removed when that fails, as far as possible. */
export async function writeSmallFile(
  target: TargetFolder,
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const sink = await target.create(name);
  try {
    await sink.write(bytes);
    await sink.close();
  } catch (error) {
    await sink.abort(error).catch(() => undefined);
    throw error;
  }
}
