/** Which answers a fault spoils: of the API, of a file's own address, or the bytes of a file wherever they come from. */
export type FaultPlace = 'api' | 'resolve' | 'content';

/** What the server does wrong, and how often. */
export type HubFault = {
  readonly on: FaultPlace;
  /** Path of the one file concerned. Left out: every file. */
  readonly file?: string;
  /** Answers to spoil before all is well again. Left out: until the fault is removed. */
  times?: number;
  /** Answers to let through before the first one is spoilt. */
  after?: number;
} & (
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterSeconds?: number }
  /** Ends the connection after so many bytes of the body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Sends so many bytes of the body, then nothing, and keeps the connection. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** Sends the bytes asked for under the Content-Range of others. */
  | { readonly kind: 'wrong-range' }
  /** Answers a range with status 200 and the whole file. */
  | { readonly kind: 'whole-file' }
  /** Sends the body compressed. */
  | { readonly kind: 'gzip' }
  /** Sends a page where a file was asked for, with status 200. */
  | { readonly kind: 'html' }
  /** Sends another ETag, as if the file were another one. */
  | { readonly kind: 'other-etag' }
  /** Sends other bytes under all the right headers. */
  | { readonly kind: 'other-bytes' }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
);

/** The first fault that concerns this answer, counted down; a spent one is taken off the list. */
export function takeFault(faults: HubFault[], place: FaultPlace, file?: string): HubFault | undefined {
  const index = faults.findIndex((fault) => {
    if (fault.on !== place || (fault.file !== undefined && fault.file !== file)) return false;
    if (fault.after === undefined || fault.after === 0) return true;
    fault.after -= 1;
    return false;
  });
  const fault = faults[index];
  if (fault?.times !== undefined) {
    fault.times -= 1;
    if (fault.times <= 0) faults.splice(index, 1);
  }
  return fault;
}
