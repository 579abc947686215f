import { StudioError } from '../base/errors.ts';
import { decodeToFloat32, type FloatFormat } from '../base/number-formats.ts';
import type { Checkpoint, CheckpointTensor } from './checkpoint.ts';
import { type LoadedWeight, readStored } from './read-weights.ts';
import { type WeightKey, weightTable } from './weight-table.ts';

function missing(name: string): StudioError {
  return new StudioError('checkpoint', 'missing-tensor', `The tensor "${name}" is missing.`, {
    nextStep: 'Check that config.json belongs to these weights, and that the download is complete.',
    details: { tensor: name },
  });
}

/** @throws StudioError family `checkpoint` code `missing-tensor`. */
export function requireTensor(checkpoint: Checkpoint, name: string): CheckpointTensor {
  const tensor = checkpoint.tensors.get(name);
  if (tensor === undefined) throw missing(name);
  return tensor;
}

/** Reads one weight, or its bias. @throws StudioError `missing-tensor`, or of family `source`. */
export async function readWeight(
  checkpoint: Checkpoint,
  key: WeightKey,
  kind: 'weight' | 'bias' = 'weight',
  signal?: AbortSignal,
): Promise<LoadedWeight> {
  const stored = weightTable(checkpoint)[kind](key);
  if (stored === undefined) throw missing('part' in key ? key.part : JSON.stringify(key));
  const [loaded] = await readStored(checkpoint, [stored], signal);
  if (loaded === undefined) throw missing(stored.name);
  return loaded;
}

/** @throws StudioError family `checkpoint` code `unsupported-dtype`. */
function floatFormat({ dtype, name }: CheckpointTensor): FloatFormat {
  if (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16') return dtype;
  throw new StudioError(
    'checkpoint',
    'unsupported-dtype',
    `The tensor "${name}" is stored as ${dtype}, of which single rows cannot be read.`,
    {
      nextStep: 'Calibrate a release of the model whose embeddings are F32, F16 or BF16.',
      details: { tensor: name, dtype },
    },
  );
}

/**
 * Reads rows of the embedding [rows, width] as f32 [rowIds.length, width], each distinct row once, neighbours in one read:
 * only the rows in use are read, however large the vocabulary.
 */
export async function readEmbeddings(
  checkpoint: Checkpoint,
  rowIds: Int32Array,
  signal?: AbortSignal,
): Promise<Float32Array<ArrayBuffer>> {
  const stored = weightTable(checkpoint).weight({ part: 'embedding' });
  const tensor = stored?.parts['weight'];
  if (tensor === undefined) throw missing(stored?.name ?? 'embedding');
  const format = floatFormat(tensor);
  const rows = tensor.shape[0] ?? 0;
  const width = tensor.shape[1] ?? 0;
  const rowBytes = tensor.byteLength / rows;
  const distinct = Int32Array.from(new Set(rowIds)).sort();
  const source = await checkpoint.folder.open(tensor.file, signal);
  const table = new Map<number, Float32Array>();
  for (let start = 0; start < distinct.length; ) {
    const first = distinct[start] ?? 0;
    let end = start + 1;
    // Rows less than 64 apart come in one read: a request costs more than the rows between.
    while (
      end < distinct.length &&
      (distinct[end] ?? 0) - (distinct[end - 1] ?? 0) < 64 &&
      (distinct[end] ?? 0) - first < 4096
    )
      end += 1;
    const last = distinct[end - 1] ?? first;
    const bytes = await source.read(tensor.offset + first * rowBytes, (last - first + 1) * rowBytes, signal);
    const values = decodeToFloat32(bytes, format);
    for (let i = start; i < end; i++) {
      const row = distinct[i] ?? 0;
      table.set(row, values.subarray((row - first) * width, (row - first + 1) * width));
    }
    start = end;
  }
  const result = new Float32Array(rowIds.length * width);
  rowIds.forEach((row, i) => {
    const values = table.get(row);
    if (values !== undefined) result.set(values, i * width);
  });
  return result;
}
