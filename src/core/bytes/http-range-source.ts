import { StudioError } from '../base/errors.ts';
import type { ByteSource } from './byte-source.ts';
import { badRangeError, badStatusError, unreachableError } from './http-errors.ts';
import { checkRange } from './memory-source.ts';
import { changedError, shortReadError } from './refusals.ts';

/** What an HttpRangeSource needs of the world. */
export interface HttpAccess {
  readonly fetch: typeof fetch;
  /** Waits before another try. Left out: a timer. @throws the signal's reason when it fires. */
  readonly wait?: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

/** Times a request is made before its failure stands. */
const MAX_TRIES = 4;
/** Before the second try; four times as long before each further one. */
const FIRST_WAIT_MS = 250;
const CONTENT_RANGE = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+)$/;

/** What tells one version of a file from another. */
interface Version {
  readonly size: number;
  readonly etag: string | null;
  readonly lastModified: string | null;
}

/** Why a try failed, to be thrown when it was the last. */
class TryAgain {
  readonly failure: StudioError;

  constructor(failure: StudioError) {
    this.failure = failure;
  }
}

function timer(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = (): void => {
      clearTimeout(id);
      reject(signal?.reason);
    };
    const id = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** Statuses that a moment later may be another: time-out, too many requests, the server's own failures. */
function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** The range of a Content-Range header and the file's size, or undefined when it is missing or malformed. */
function contentRange(
  response: Response,
): { readonly first: number; readonly last: number; readonly size: number } | undefined {
  const parts = CONTENT_RANGE.exec(response.headers.get('content-range') ?? '');
  if (parts === null) return undefined;
  const [first = -1, last = -1, size = -1] = parts.slice(1).map((part) => (part === undefined ? -1 : Number(part)));
  return Number.isSafeInteger(size) ? { first, last, size } : undefined;
}

/** A plain body length; of a compressed body the header says nothing about the file. */
function contentLength(response: Response): number | undefined {
  const text = response.headers.get('content-length') ?? '';
  const length = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(length) && !response.headers.has('content-encoding')
    ? length
    : undefined;
}

/** One address, asked again and again for ranges. */
class RangeClient {
  readonly name: string;
  readonly url: string;
  readonly #access: HttpAccess;

  constructor(name: string, url: string, access: HttpAccess) {
    this.name = name;
    this.url = url;
    this.#access = access;
  }

  /** Asks for bytes `first` to `last`, both included, until `use` takes the answer or the tries are used up. */
  async ask<T>(first: number, last: number, use: (response: Response) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const wait = this.#access.wait ?? timer;
    for (let count = 1; ; count++) {
      const outcome = await this.#tryOnce(first, last, use, signal);
      if (!(outcome instanceof TryAgain)) return outcome;
      if (count === MAX_TRIES) throw outcome.failure;
      await wait(FIRST_WAIT_MS * 4 ** (count - 1), signal);
    }
  }

  async #tryOnce<T>(
    first: number,
    last: number,
    use: (response: Response) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T | TryAgain> {
    signal?.throwIfAborted();
    let response: Response | undefined;
    try {
      // A single plain range needs no preflight, and a referrer has led a content network to refuse.
      // As a plain function: a browser's own fetch refuses to be called as a method of something else.
      const { fetch } = this.#access;
      response = await fetch(this.url, {
        headers: { Range: `bytes=${first}-${last}` },
        referrerPolicy: 'no-referrer',
        ...(signal === undefined ? {} : { signal }),
      });
      if (isPassing(response.status)) return new TryAgain(badStatusError(this.name, this.url, response.status));
      return await use(response);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof TryAgain) return error;
      if (error instanceof StudioError) throw error;
      return new TryAgain(unreachableError(this.name, this.url, error));
    } finally {
      // Frees the connection when the body was not wanted; of a body that was read it does nothing.
      if (response?.bodyUsed === false) await response.body?.cancel().catch(() => undefined);
    }
  }
}

/**
 * A ByteSource over HTTP range requests. The version that was there when it was opened (size, ETag, Last-Modified) is
 * the only one that it reads: another one is refused as `changed`. A network failure or a passing status is tried again,
 * four times in all.
 */
export class HttpRangeSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #client: RangeClient;
  readonly #version: Version;

  private constructor(client: RangeClient, version: Version) {
    this.name = client.name;
    this.size = version.size;
    this.#client = client;
    this.#version = version;
  }

  /**
   * Asks for the first byte, which tells the size. (HEAD would not do: content networks answer it without a length.)
   * @throws StudioError family `source`: `unreachable`, `bad-status`, `bad-range`.
   */
  static async open(url: string, name: string, access: HttpAccess, signal?: AbortSignal): Promise<HttpRangeSource> {
    const client = new RangeClient(name, url, access);
    const version = await client.ask(0, 0, async (response) => versionOf(response, client), signal);
    return new HttpRangeSource(client, version);
  }

  /** @throws StudioError family `source`: `out-of-range`, `changed`, `short-read`, `unreachable`, `bad-status`, `bad-range`. */
  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    signal?.throwIfAborted();
    checkRange(this.name, this.size, offset, length);
    if (length === 0) return new Uint8Array(0);
    const last = offset + length - 1;
    return this.#client.ask(
      offset,
      last,
      async (response) => {
        this.#checkVersion(response);
        this.#checkAnswer(response, offset, last);
        const bytes = new Uint8Array(await response.arrayBuffer());
        if (bytes.byteLength !== length)
          throw new TryAgain(shortReadError(this.name, offset, length, bytes.byteLength));
        return bytes;
      },
      signal,
    );
  }

  #checkVersion(response: Response): void {
    if (response.status !== 200 && response.status !== 206 && response.status !== 416) {
      throw badStatusError(this.name, this.#client.url, response.status);
    }
    const { size, etag, lastModified } = this.#version;
    const newEtag = response.headers.get('etag');
    const newTime = response.headers.get('last-modified');
    const newSize = response.status === 200 ? contentLength(response) : contentRange(response)?.size;
    if (newSize !== undefined && newSize !== size)
      throw changedError(this.name, `it had ${size} bytes and now has ${newSize}`);
    if (
      etag !== null && newEtag !== null
        ? etag !== newEtag
        : lastModified !== null && newTime !== null && lastModified !== newTime
    ) {
      throw changedError(this.name, 'the server has another version of it now');
    }
  }

  #checkAnswer(response: Response, first: number, last: number): void {
    const { url } = this.#client;
    if (response.status === 200) {
      if (first === 0 && last === this.size - 1) return;
      throw badRangeError(this.name, url, 'sends the whole file where a part was asked for');
    }
    const range = contentRange(response);
    if (response.status === 206 && range?.first === first && range.last === last) return;
    throw badRangeError(this.name, url, `answered the request for bytes ${first} to ${last} with another range`);
  }
}

function versionOf(response: Response, client: RangeClient): Version {
  const { status, headers } = response;
  const etag = headers.get('etag');
  const lastModified = headers.get('last-modified');
  if (status !== 200 && status !== 206 && status !== 416) throw badStatusError(client.name, client.url, status);
  const range = contentRange(response);
  // An empty file has no first byte: 416 with "bytes */0".
  if (status === 416 && range?.size !== 0) throw badStatusError(client.name, client.url, status);
  if (status === 206 && (range?.first !== 0 || range.last !== 0)) {
    throw badRangeError(client.name, client.url, 'answered the request for the first byte with another range');
  }
  const size = status === 200 ? contentLength(response) : range?.size;
  if (size === undefined) throw badRangeError(client.name, client.url, 'does not say how long it is');
  return { size, etag, lastModified };
}
