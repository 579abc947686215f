/** One read that waits for its bytes. */
export interface WaitingRead {
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal | undefined;
}

/** Reads whose bytes follow one another in the file without a gap, to be fetched as one. */
export interface Run<R extends WaitingRead> {
  readonly first: number;
  /** First byte after it. */
  readonly end: number;
  readonly signal: AbortSignal | undefined;
  readonly reads: readonly R[];
}

const endOf = ({ offset, bytes }: WaitingRead): number => offset + bytes.byteLength;

/**
 * Joins reads that touch or overlap. A gap, however small, is never bridged: it may be an expert that is dropped, whose
 * bytes nobody asked for. Reads with different signals stay apart, as one may end without the other.
 */
export function joinNeighbours<R extends WaitingRead>(reads: readonly R[]): Run<R>[] {
  const runs: { first: number; end: number; signal: AbortSignal | undefined; reads: R[] }[] = [];
  const bySignal = new Map<AbortSignal | undefined, R[]>();
  for (const read of reads) {
    const group = bySignal.get(read.signal);
    if (group === undefined) bySignal.set(read.signal, [read]);
    else group.push(read);
  }
  for (const [signal, group] of bySignal) {
    group.sort((a, b) => a.offset - b.offset);
    let open: (typeof runs)[number] | undefined;
    for (const read of group) {
      if (open !== undefined && read.offset <= open.end) {
        open.reads.push(read);
        open.end = Math.max(open.end, endOf(read));
      } else {
        open = { first: read.offset, end: endOf(read), signal, reads: [read] };
        runs.push(open);
      }
    }
  }
  return runs;
}

/** Cuts bytes `first` to `end` (not included) into pieces of nearly equal length, none over `most`. */
export function cutRun(first: number, end: number, most: number): { readonly first: number; readonly end: number }[] {
  const count = Math.ceil((end - first) / most);
  const edge = (index: number): number => first + Math.floor(((end - first) * index) / count);
  return Array.from({ length: count }, (_, index) => ({ first: edge(index), end: edge(index + 1) }));
}

/** Copies a chunk that starts at byte `offset` of the file into every read that wants a part of it. */
export function scatter(reads: readonly WaitingRead[], offset: number, chunk: Uint8Array): void {
  const end = offset + chunk.byteLength;
  for (const read of reads) {
    if (read.offset >= end) break;
    const from = Math.max(read.offset, offset);
    const to = Math.min(endOf(read), end);
    if (from < to) read.bytes.set(chunk.subarray(from - offset, to - offset), from - read.offset);
  }
}
