import { FileVersion, labelOf } from './file-version.ts';
import type { FillingSource } from './filling-source.ts';
import type { HttpAccess } from './http-access.ts';
import { contentLength, contentRange } from './http-answer.ts';
import { badRangeError, badStatusError } from './http-errors.ts';
import { checkRange } from './memory-source.ts';
import { onAbort } from './on-abort.ts';
import { readRangeBody, refusePage } from './range-body.ts';
import { askForRange } from './range-request.ts';
import { cutRun, joinNeighbours, type Run, scatter, type WaitingRead } from './range-runs.ts';
import { PlainTarget, type RangeTarget } from './range-target.ts';
import { RequestLimit } from './request-limit.ts';
import type { VersionedSource } from './source-version.ts';
import { TransferMeter } from './transfer-meter.ts';

/** Longest range of one request: a longer read is fetched as several at once. */
const PIECE_BYTES = 16 * 2 ** 20;
/** What one origin takes from a browser at once over HTTP/1. */
const REQUESTS_IN_FLIGHT = 6;

/** What the files of one folder share. */
export interface HttpLine {
  readonly access: HttpAccess;
  readonly limit: RequestLimit;
  readonly meter: TransferMeter;
  /** Resolves when the reads that were begun together have all been seen. Left out: each is sent at once. */
  readonly gather?: () => Promise<void>;
}

/** A line of its own: six requests at once, a count from zero. */
export function openLine(access: HttpAccess, gather?: () => Promise<void>): HttpLine {
  return {
    access,
    limit: new RequestLimit(REQUESTS_IN_FLIGHT),
    meter: new TransferMeter(),
    ...(gather === undefined ? {} : { gather }),
  };
}

interface PendingRead extends WaitingRead {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A ByteSource over HTTP range requests. Only one version of the file is read: another one is refused as `changed`. A
 * network failure, a passing status or silence is tried again, going on from the byte that was reached.
 */
export class HttpRangeSource implements FillingSource, VersionedSource {
  readonly name: string;
  readonly size: number;
  readonly #target: RangeTarget;
  readonly #version: FileVersion;
  readonly #line: HttpLine;
  #waiting: PendingRead[] = [];

  /** @param size Bytes of the file, as the place that lists it says: every answer is held to it. */
  constructor(target: RangeTarget, size: number, version: FileVersion, line: HttpLine) {
    this.name = target.name;
    this.size = size;
    this.#target = target;
    this.#version = version;
    this.#line = line;
  }

  /** What tells this version of the file from others: its hash, its commit, or the server's own tag or time. */
  get version(): string {
    return this.#version.label;
  }

  /**
   * Asks for the first byte, which tells the size. (HEAD would not do: content networks answer it without a length.)
   * @throws StudioError family `source`: as `read`, without `out-of-range`.
   */
  static async open(url: string, name: string, line: HttpLine, signal?: AbortSignal): Promise<HttpRangeSource> {
    const target = new PlainTarget(name, url);
    let opened: HttpRangeSource | undefined;
    const use = async (response: Response): Promise<'done'> => {
      const size = sizeOf(response, target);
      const version = new FileVersion(name, size, { label: labelOf(response) });
      version.check(response);
      opened = new HttpRangeSource(target, size, version, line);
      return 'done';
    };
    await line.limit.run(() => askForRange(target, line.access, () => 0, 0, use, signal), signal);
    if (opened === undefined) throw badRangeError(name, url, 'does not say how long it is');
    return opened;
  }

  /**
   * @throws StudioError family `source`: `out-of-range`, `changed`, `short-read`, `unreachable`, `stalled`, `bad-status`,
   * `rate-limited`, `bad-range`, `not-a-file`, and what the target refuses.
   */
  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this.name, this.size, offset, length);
    const bytes = new Uint8Array(length);
    await this.fill(bytes, offset, signal);
    return bytes;
  }

  /** As `read`. When it fails, some of `into` may have been written; nothing is written to it later. */
  async fill(into: Uint8Array<ArrayBuffer>, offset: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    checkRange(this.name, this.size, offset, into.byteLength);
    if (into.byteLength === 0) return;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ offset, bytes: into, signal, resolve, reject });
      if (this.#waiting.length === 1) void this.#send();
    });
  }

  /** Fetches what is waiting. */
  async #send(): Promise<void> {
    await this.#line.gather?.();
    const reads = this.#waiting;
    this.#waiting = [];
    for (const run of joinNeighbours(reads)) void this.#fetchRun(run);
  }

  async #fetchRun({ first, end, signal, reads }: Run<PendingRead>): Promise<void> {
    // When one piece fails the others are of no use any more.
    const stop = new AbortController();
    const leave = onAbort(signal, () => stop.abort(signal?.reason));
    const pieces = cutRun(first, end, PIECE_BYTES).map((piece) =>
      this.#line.limit.run(() => this.#fetchPiece(piece.first, piece.end - 1, reads, stop.signal), stop.signal),
    );
    try {
      await Promise.all(pieces);
      for (const { resolve } of reads) resolve();
    } catch (error) {
      stop.abort(error);
      await Promise.allSettled(pieces);
      for (const { reject } of reads) reject(error);
    } finally {
      leave();
    }
  }

  async #fetchPiece(first: number, last: number, reads: readonly PendingRead[], signal: AbortSignal): Promise<void> {
    let next = first;
    await askForRange(
      this.#target,
      this.#line.access,
      () => next,
      last,
      (response, alive) => {
        refusePage(response, this.name, response.url);
        this.#version.check(response);
        const expected = { name: this.name, url: response.url, first: next, last, size: this.size };
        const put = (chunk: Uint8Array): void => {
          scatter(reads, next, chunk);
          next += chunk.byteLength;
        };
        return readRangeBody(response, expected, put, (bytes) => {
          alive();
          this.#line.meter.add(bytes);
        });
      },
      signal,
    );
  }
}

/** Size of the file from the answer to a request for its first byte. */
function sizeOf(response: Response, { name, url }: PlainTarget): number {
  const range = contentRange(response);
  const { status } = response;
  refusePage(response, name, url);
  // An empty file has no first byte: 416 with "bytes */0".
  if (status === 416 && range?.size !== 0) throw badStatusError(name, url, status);
  if (status === 206 && (range?.first !== 0 || range.last !== 0)) {
    throw badRangeError(name, url, 'answered the request for the first byte with another range');
  }
  const size = status === 200 ? contentLength(response) : range?.size;
  if (size === undefined) throw badRangeError(name, url, 'does not say how long it is');
  return size;
}
