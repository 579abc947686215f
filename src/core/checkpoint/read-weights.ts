import type { Checkpoint, CheckpointTensor } from './checkpoint.ts';
import { floatDtype, requireTensor, type WeightBytes } from './read-tensor.ts';

/** Two tensors of a file come in one read when no more than this lies between them. */
const MAX_GAP = 64 * 1024;
/** One read is no longer than this, a single tensor excepted: larger pieces are no faster. */
const MAX_READ = 32 * 1024 * 1024;
const READS_IN_FLIGHT = 4;

interface Span {
  readonly file: string;
  readonly start: number;
  end: number;
  readonly tensors: CheckpointTensor[];
}

function spansOf(tensors: readonly CheckpointTensor[]): Span[] {
  const sorted = [...tensors].sort((a, b) => (a.file === b.file ? a.offset - b.offset : a.file < b.file ? -1 : 1));
  const spans: Span[] = [];
  for (const tensor of sorted) {
    const open = spans.at(-1);
    const end = tensor.offset + tensor.byteLength;
    if (
      open !== undefined &&
      open.file === tensor.file &&
      tensor.offset - open.end <= MAX_GAP &&
      end - open.start <= MAX_READ
    ) {
      open.end = Math.max(open.end, end);
      open.tensors.push(tensor);
    } else {
      spans.push({ file: tensor.file, start: tensor.offset, end, tensors: [tensor] });
    }
  }
  return spans;
}

/**
 * Reads many weights at once, neighbours in one read and a few reads at a time.
 * @returns the weights by name; their bytes may share buffers.
 * @throws StudioError `missing-tensor`, `unsupported-dtype`, or of family `source`.
 */
export async function readWeights(
  checkpoint: Checkpoint,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, WeightBytes>> {
  const spans = spansOf(names.map((name) => requireTensor(checkpoint, name)));
  const weights = new Map<string, WeightBytes>();
  let next = 0;
  const readSpans = async (): Promise<void> => {
    for (let span = spans[next++]; span !== undefined; span = spans[next++]) {
      const source = await checkpoint.folder.open(span.file, signal);
      const bytes = await source.read(span.start, span.end - span.start, signal);
      for (const tensor of span.tensors) {
        const begin = tensor.offset - span.start;
        weights.set(tensor.name, {
          name: tensor.name,
          dtype: floatDtype(tensor),
          shape: tensor.shape,
          bytes: bytes.subarray(begin, begin + tensor.byteLength),
        });
      }
    }
  };
  await Promise.all(Array.from({ length: READS_IN_FLIGHT }, readSpans));
  return weights;
}
