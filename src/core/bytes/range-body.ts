import type { StudioError } from '../base/errors.ts';
import { contentLength, contentRange, isPacked, isPage } from './http-answer.ts';
import { badRangeError, pageError } from './http-errors.ts';
import type { Outcome } from './range-request.ts';
import { TryAgain } from './range-target.ts';
import { shortReadError } from './refusals.ts';

/** A file up to this size may come whole where a part was asked for: small files come from servers without ranges. */
const MAX_WHOLE_FILE_BYTES = 8 * 2 ** 20;

/** The range of a file that an answer should hold. */
export interface ExpectedRange {
  readonly name: string;
  readonly url: string;
  readonly first: number;
  readonly last: number;
  /** Bytes of the file. */
  readonly size: number;
}

/** Refuses a web page where a file was asked for. @throws StudioError `not-a-file`. */
export function refusePage(response: Response, name: string, url: string): void {
  if (isPage(response) && !/\.html?$/i.test(name)) throw pageError(name, url);
}

/** First byte of the file that the body begins with. @throws StudioError `bad-range`. */
function startOfBody(response: Response, { name, url, first, last, size }: ExpectedRange): number {
  const refuse = (problem: string): StudioError => badRangeError(name, url, problem);
  if (response.status === 200) {
    if ((first === 0 && last === size - 1) || size <= MAX_WHOLE_FILE_BYTES) return 0;
    throw refuse('sends the whole file where a part was asked for');
  }
  const range = contentRange(response);
  const other = `answered the request for bytes ${first} to ${last} with another range`;
  if (response.status !== 206) throw refuse(other);
  if (isPacked(response)) throw refuse('packs the parts of a file');
  if (range === undefined && response.type === 'cors' && !response.headers.has('content-range')) {
    // A content network may keep the header from scripts of other origins. The length is never kept from them.
    const length = contentLength(response);
    if (length === undefined || length === last - first + 1) return first;
  }
  if (range?.first !== first || range.last !== last) throw refuse(other);
  return first;
}

/**
 * Reads the body of an answer of status 200, 206 or 416 and hands what was asked for to `put`, in order.
 * @param heard Called with the length of each piece of the body.
 * @throws StudioError `bad-range`; what the connection throws when it breaks.
 */
export async function readRangeBody(
  response: Response,
  expected: ExpectedRange,
  put: (chunk: Uint8Array) => void,
  heard: (bytes: number) => void,
): Promise<Outcome> {
  const { name, url, first, last, size } = expected;
  let at = startOfBody(response, expected);
  const end = response.status === 200 ? size : last + 1;
  const reader = response.body?.getReader();
  for (;;) {
    const step = await reader?.read();
    if (step === undefined || step.done) break;
    const chunk: Uint8Array = step.value;
    heard(chunk.byteLength);
    if (at + chunk.byteLength > end) throw badRangeError(name, url, 'sends more bytes than were asked for');
    const from = Math.max(first - at, 0);
    const to = Math.min(last + 1 - at, chunk.byteLength);
    if (from < to) put(chunk.subarray(from, to));
    at += chunk.byteLength;
  }
  if (at === end) return 'done';
  return new TryAgain(shortReadError(name, first, last - first + 1, Math.max(at - first, 0)));
}
