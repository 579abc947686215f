import { StudioError } from '../base/errors.ts';
import { decodeToFloat32 } from '../base/number-formats.ts';
import type { Checkpoint, CheckpointTensor } from './checkpoint.ts';

/** The number formats that calibration can compute with. */
export type FloatDtype = 'F32' | 'F16' | 'BF16';

/** A tensor's own bytes with what is needed to compute with them. */
export interface WeightBytes {
  readonly name: string;
  readonly dtype: FloatDtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** @throws StudioError family `checkpoint` code `missing-tensor`. */
export function requireTensor(checkpoint: Checkpoint, name: string): CheckpointTensor {
  const tensor = checkpoint.tensors.get(name);
  if (tensor === undefined) {
    throw new StudioError('checkpoint', 'missing-tensor', `The tensor "${name}" is missing.`, {
      nextStep: 'Check that config.json belongs to these weights, and that the download is complete.',
      details: { tensor: name },
    });
  }
  return tensor;
}

/** The dtype as one that calibration computes with. @throws StudioError family `checkpoint` code `unsupported-dtype`. */
export function floatDtype(tensor: CheckpointTensor): FloatDtype {
  const { dtype, name } = tensor;
  if (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16') return dtype;
  throw new StudioError(
    'checkpoint',
    'unsupported-dtype',
    `The tensor "${name}" is stored as ${dtype}, which calibration cannot decode yet.`,
    {
      nextStep:
        'Calibrate the F32, F16 or BF16 release of the model; its plan can be applied to this checkpoint only when their tensors agree.',
      details: { tensor: name, dtype },
    },
  );
}

/** Reads one weight's bytes. @throws StudioError `missing-tensor`, `unsupported-dtype`, or of family `source`. */
export async function readWeight(checkpoint: Checkpoint, name: string, signal?: AbortSignal): Promise<WeightBytes> {
  const tensor = requireTensor(checkpoint, name);
  const dtype = floatDtype(tensor);
  const source = await checkpoint.folder.open(tensor.file, signal);
  return { name, dtype, shape: tensor.shape, bytes: await source.read(tensor.offset, tensor.byteLength, signal) };
}

/**
 * Reads rows of a [rows, width] tensor as f32 [rowIds.length, width], each distinct row once, neighbours in one read.
 * Used for embeddings: only the rows in use are read, however large the vocabulary.
 */
export async function readRows(
  checkpoint: Checkpoint,
  name: string,
  rowIds: Int32Array,
  signal?: AbortSignal,
): Promise<Float32Array<ArrayBuffer>> {
  const tensor = requireTensor(checkpoint, name);
  const dtype = floatDtype(tensor);
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
    const values = decodeToFloat32(bytes, dtype);
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
