import type { ByteSource } from '../bytes/byte-source.ts';
import { type FillingSource, fillFrom } from '../bytes/filling-source.ts';
import { checkRange } from '../bytes/memory-source.ts';

/** A range of a source file. Offsets are absolute, lengths in bytes. */
export interface SourceRange {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

interface Run extends SourceRange {
  /** Where the run begins in the planned file. */
  readonly at: number;
}

/** Appends `next` to `ranges`, merged with the last one when it goes on where that ends. */
export function appendRange(ranges: SourceRange[], next: SourceRange): void {
  if (next.length === 0) return;
  const last = ranges.at(-1);
  if (last !== undefined && last.file === next.file && last.offset + last.length === next.offset) {
    ranges[ranges.length - 1] = { ...last, length: last.length + next.length };
  } else {
    ranges.push(next);
  }
}

/**
 * A shard that does not exist yet, readable as if it did: a header from memory followed by ranges of source files. The
 * writer copies it to the target and the verification compares the target with it.
 */
export class PlannedShard implements FillingSource {
  readonly name: string;
  readonly size: number;
  readonly #header: Uint8Array<ArrayBuffer>;
  readonly #runs: readonly Run[];
  readonly #sources: ReadonlyMap<string, ByteSource>;

  /** `sources` holds an open ByteSource for every file that `ranges` names. */
  constructor(
    name: string,
    header: Uint8Array<ArrayBuffer>,
    ranges: readonly SourceRange[],
    sources: ReadonlyMap<string, ByteSource>,
  ) {
    const merged: SourceRange[] = [];
    for (const range of ranges) appendRange(merged, range);
    let at = header.byteLength;
    this.#runs = merged.map((range) => {
      const run = { ...range, at };
      at += range.length;
      return run;
    });
    this.name = name;
    this.size = at;
    this.#header = header;
    this.#sources = sources;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this.name, this.size, offset, length);
    const bytes = new Uint8Array(length);
    await this.fill(bytes, offset, signal);
    return bytes;
  }

  /** @throws StudioError `out-of-range`, and what reading the source files throws. */
  async fill(into: Uint8Array<ArrayBuffer>, offset: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    checkRange(this.name, this.size, offset, into.byteLength);
    const end = offset + into.byteLength;
    if (offset < this.#header.byteLength)
      into.set(this.#header.subarray(offset, Math.min(end, this.#header.byteLength)));
    const reads: Promise<void>[] = [];
    for (let index = this.#firstRunAfter(offset); index < this.#runs.length; index++) {
      const run = this.#runs[index];
      if (run === undefined || run.at >= end) break;
      const source = this.#sources.get(run.file);
      if (source === undefined) throw new RangeError(`no source file "${run.file}" is open`);
      const from = Math.max(run.at, offset);
      const to = Math.min(run.at + run.length, end);
      reads.push(fillFrom(source, into.subarray(from - offset, to - offset), run.offset + from - run.at, signal));
    }
    // All of them have ended when this does: `into` is used again.
    const failure = (await Promise.allSettled(reads)).find((read) => read.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
  }

  /** Index of the first run that ends after `position`. */
  #firstRunAfter(position: number): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const run = this.#runs[middle];
      if (run !== undefined && run.at + run.length <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
