import { StudioError } from '../base/errors.ts';
import type { TargetFolder } from '../bytes/byte-sink.ts';
import type { ByteSource } from '../bytes/byte-source.ts';
import { readHeader } from '../safetensors/header.ts';
import { streamBytes } from './byte-stream.ts';
import type { PlannedFile, ShardLayout } from './export-layout.ts';
import { TensorHasher } from './tensor-hasher.ts';
import { writeFailure } from './write-failure.ts';

/** A file as it lies in the target, with the hash of each tensor in it (none for a file that is no shard). */
export interface FileRecord {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly tensors: ReadonlyMap<string, string>;
}

export interface WriteContext {
  readonly target: TargetFolder;
  readonly signal: AbortSignal | undefined;
  /** Told of every piece of the file that has been written or, for a finished file, checked. */
  readonly onBytes: (file: string, bytes: number) => void;
  /** Bytes of the whole export that are not on the disk yet. */
  readonly missingBytes: () => number;
}

/** True when the planned file is a shard, with header and tensors. */
export function isShard(file: PlannedFile): file is ShardLayout {
  return 'tensors' in file;
}

function differs(file: string, what: string): StudioError {
  return new StudioError('export', 'verification-failed', `"${file}" was written, but ${what}.`, {
    nextStep:
      'The disk or its connection loses data. Choose another disk, or start the export into the same folder again.',
    details: { file },
  });
}

/** Reads the whole of `source`, which holds `file` or will be it, and hashes it and the tensors in it. */
export async function hashFile(
  source: ByteSource,
  file: PlannedFile,
  signal: AbortSignal | undefined,
): Promise<FileRecord> {
  const hasher = await TensorHasher.create(isShard(file) ? file.tensors : []);
  await streamBytes(source, (chunk) => hasher.update(chunk), { signal });
  return { name: file.name, size: source.size, ...hasher.digest() };
}

async function streamToTarget(file: PlannedFile, context: WriteContext): Promise<FileRecord> {
  const { target, signal } = context;
  const failure = (error: unknown): unknown => writeFailure(error, file.name, context.missingBytes());
  const source = await file.open(signal);
  const hasher = await TensorHasher.create(isShard(file) ? file.tensors : []);
  const sink = await target.create(file.name).catch((error: unknown) => {
    throw failure(error);
  });
  try {
    const write = async (chunk: Uint8Array<ArrayBuffer>): Promise<void> => {
      hasher.update(chunk);
      await sink.write(chunk).catch((error: unknown) => {
        throw failure(error);
      });
      context.onBytes(file.name, chunk.byteLength);
    };
    await streamBytes(source, write, { signal });
    await sink.close().catch((error: unknown) => {
      throw failure(error);
    });
  } catch (error) {
    await sink.abort(error).catch(() => undefined);
    throw error;
  }
  return { name: file.name, size: file.size, ...hasher.digest() };
}

/**
 * Writes one file, closes it, opens it again and holds it against what went out: its size, its sha256 and, for a
 * shard, its header by the strict reader.
 * @throws StudioError family `export`: `verification-failed`, `write-failed`, `disk-full`, `permission-lost`; of family
 * `source` when the source cannot be read.
 */
export async function writeFile(file: PlannedFile, context: WriteContext): Promise<FileRecord> {
  const { target, signal } = context;
  const written = await streamToTarget(file, context);
  try {
    const reopened = await target.open(file.name);
    if (reopened.size !== file.size) throw differs(file.name, `it has ${reopened.size} bytes instead of ${file.size}`);
    const found = await hashFile(reopened, file, signal);
    if (found.sha256 !== written.sha256) throw differs(file.name, 'it reads back with other bytes');
    if (isShard(file)) await readHeader(reopened, signal);
  } catch (error) {
    await target.remove(file.name).catch(() => undefined);
    throw writeFailure(error, file.name, context.missingBytes());
  }
  return written;
}

const SAMPLES_PER_SHARD = 16;
const SAMPLE_BYTES = 64 * 1024;

/** True when samples spread over the shard equal the source: a fine-tune has the same fingerprint but other weights. */
async function samplesEqual(
  stored: ByteSource,
  planned: ByteSource,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const length = Math.min(SAMPLE_BYTES, planned.size);
  for (let sample = 0; sample < SAMPLES_PER_SHARD; sample++) {
    const offset = Math.floor(((planned.size - length) * sample) / (SAMPLES_PER_SHARD - 1));
    const [left, right] = await Promise.all([
      stored.read(offset, length, signal),
      planned.read(offset, length, signal),
    ]);
    if (left.some((byte, index) => byte !== right[index])) return false;
  }
  return true;
}

/**
 * Looks at a file that an earlier run finished. Its bytes are read and hashed again; samples of it are held against the
 * source.
 * @returns its record, or undefined (with the file removed) when it must be written anew.
 */
export async function recheckFile(
  file: PlannedFile,
  expectedHash: string,
  context: WriteContext,
): Promise<FileRecord | undefined> {
  const { target, signal } = context;
  if (!(await target.list()).includes(file.name)) return undefined;
  const stored = await target.open(file.name);
  if (stored.size === file.size && (await samplesEqual(stored, await file.open(signal), signal))) {
    const record = await hashFile(stored, file, signal);
    if (record.sha256 === expectedHash) {
      context.onBytes(file.name, file.size);
      return record;
    }
  }
  await target.remove(file.name);
  return undefined;
}
