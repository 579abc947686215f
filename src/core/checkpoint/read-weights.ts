import { decodeWeight } from '../quantisation/decode-weight.ts';
import type { StoredWeight, TensorBytes } from '../quantisation/weight-scheme.ts';
import type { Checkpoint, CheckpointTensor } from './checkpoint.ts';

/** A weight whose bytes are in memory, as the file holds them. */
export type LoadedWeight = StoredWeight<TensorBytes>;

/** Two tensors of a file come in one read when no more than this lies between them. */
const MAX_GAP = 64 * 1024;
/** One read is no longer than this, a single tensor excepted: larger pieces are no faster. */
const MAX_READ = 32 * 1024 * 1024;
const READS_IN_FLIGHT = 4;

type Range = Pick<CheckpointTensor, 'name' | 'dtype' | 'shape' | 'file' | 'offset' | 'byteLength'>;

interface Span {
  readonly file: string;
  readonly start: number;
  end: number;
  readonly ranges: Range[];
}

function spansOf(ranges: readonly Range[]): Span[] {
  const sorted = [...ranges].sort((a, b) => (a.file === b.file ? a.offset - b.offset : a.file < b.file ? -1 : 1));
  const spans: Span[] = [];
  for (const range of sorted) {
    const open = spans.at(-1);
    const end = range.offset + range.byteLength;
    if (
      open !== undefined &&
      open.file === range.file &&
      range.offset - open.end <= MAX_GAP &&
      Math.max(open.end, end) - open.start <= MAX_READ
    ) {
      open.end = Math.max(open.end, end);
      open.ranges.push(range);
    } else {
      spans.push({ file: range.file, start: range.offset, end, ranges: [range] });
    }
  }
  return spans;
}

/**
 * Reads the bytes of many stored weights at once, neighbours in one read and a few reads at a time.
 * @returns the weights in the order given; their bytes may share buffers with each other, but with nothing else.
 * @throws StudioError of family `source`.
 */
export async function readStored(
  checkpoint: Checkpoint,
  weights: readonly StoredWeight<CheckpointTensor>[],
  signal?: AbortSignal,
): Promise<LoadedWeight[]> {
  const ranges = new Set(weights.flatMap((weight) => Object.values(weight.parts)));
  const bytesOf = new Map<Range, Uint8Array<ArrayBuffer>>();
  const spans = spansOf([...ranges]);
  let next = 0;
  const readSpans = async (): Promise<void> => {
    for (let span = spans[next++]; span !== undefined; span = spans[next++]) {
      const source = await checkpoint.folder.open(span.file, signal);
      const read = await source.read(span.start, span.end - span.start, signal);
      // A source may give a view of what others see as well.
      const bytes = read.byteLength === read.buffer.byteLength ? read : read.slice();
      for (const range of span.ranges) {
        const begin = range.offset - span.start;
        bytesOf.set(range, bytes.subarray(begin, begin + range.byteLength));
      }
    }
  };
  await Promise.all(Array.from({ length: READS_IN_FLIGHT }, readSpans));
  return weights.map((weight) => ({
    ...weight,
    parts: Object.fromEntries(
      Object.entries(weight.parts).map(([suffix, { name, dtype, shape, ...tensor }]) => [
        suffix,
        {
          name,
          dtype,
          shape,
          bytes: bytesOf.get(weight.parts[suffix] ?? { name, dtype, shape, ...tensor }) ?? new Uint8Array(),
        },
      ]),
    ),
  }));
}

/** The weight as f32, row-major in its logical shape. */
export function decodeStored(weight: LoadedWeight): Float32Array<ArrayBuffer> {
  const out = new Float32Array(weight.shape.reduce((product, size) => product * size, 1));
  decodeWeight(weight, out);
  return out;
}
