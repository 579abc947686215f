const CONTENT_RANGE = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+)$/;

/** Bytes `first` to `last`, both included, of a file of `size` bytes; −1 for both where the header says `*`. */
export interface ContentRange {
  readonly first: number;
  readonly last: number;
  readonly size: number;
}

/** What the Content-Range header says, or undefined when it is missing or malformed. */
export function contentRange(response: Response): ContentRange | undefined {
  const parts = CONTENT_RANGE.exec(response.headers.get('content-range') ?? '');
  if (parts === null) return undefined;
  const [first = -1, last = -1, size = -1] = parts.slice(1).map((part) => (part === undefined ? -1 : Number(part)));
  return Number.isSafeInteger(size) ? { first, last, size } : undefined;
}

/** True where the body is not the file's own bytes but packed ones. */
export function isPacked(response: Response): boolean {
  return (response.headers.get('content-encoding') ?? 'identity') !== 'identity';
}

/** A plain body length; of a packed body the header says nothing about the file. */
export function contentLength(response: Response): number | undefined {
  const text = response.headers.get('content-length') ?? '';
  const length = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(length) && !response.headers.has('content-encoding')
    ? length
    : undefined;
}

/** Statuses that a moment later may be another: time-out, too many requests, the server's own failures. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** True when a page came: a sign-in page of the network between, or of the server itself. */
export function isPage(response: Response): boolean {
  return (response.headers.get('content-type') ?? '').trimStart().toLowerCase().startsWith('text/html');
}

/** Longest pause that a server may ask for and get: the hub counts requests over five minutes. */
const LONGEST_PAUSE_MS = 300_000;

/** Milliseconds that the server asks to wait (RFC 9110, 10.2.3), at most five minutes; 0 when it asks for nothing. */
export function pauseAsked(response: Response, now: number): number {
  const text = response.headers.get('retry-after')?.trim() ?? '';
  const milliseconds = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(milliseconds) ? 0 : Math.min(Math.max(milliseconds, 0), LONGEST_PAUSE_MS);
}

/** Ends a body that nobody reads, so that its connection is free again. */
export async function discard(response: Response): Promise<void> {
  if (!response.bodyUsed) await response.body?.cancel().catch(() => undefined);
}
