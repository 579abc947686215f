import { StudioError } from '../base/errors.ts';
import type { TargetFolder } from '../bytes/byte-sink.ts';
import type { ByteSource } from '../bytes/byte-source.ts';
import { readHeader } from '../safetensors/header.ts';
import { streamBytes } from './byte-stream.ts';
import { Checksum } from './checksum.ts';
import type { PlannedFile, ShardLayout } from './export-layout.ts';
import type { OpenFileHasher } from './file-hasher.ts';

/** A file as it lies in the target, with the hash of each tensor in it (none for a file that is no shard). */
export interface FileRecord {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly tensors: ReadonlyMap<string, string>;
}

export interface WriteContext {
  readonly target: TargetFolder;
  readonly openHasher: OpenFileHasher;
  readonly signal: AbortSignal | undefined;
  /** Told of every piece of the file that has been written or, for a finished file, checked. */
  readonly onBytes: (file: string, bytes: number) => void;
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
  { openHasher, signal }: Pick<WriteContext, 'openHasher' | 'signal'>,
): Promise<FileRecord> {
  const hasher = await openHasher(isShard(file) ? file.tensors : []);
  await streamBytes(source, (chunk) => hasher.update(chunk), { signal });
  return { name: file.name, size: source.size, ...(await hasher.digest()) };
}

async function streamToTarget(
  file: PlannedFile,
  { target, openHasher, signal, onBytes }: WriteContext,
): Promise<{ readonly record: FileRecord; readonly checksum: string }> {
  const source = await file.open(signal);
  const hasher = await openHasher(isShard(file) ? file.tensors : []);
  const checksum = await Checksum.create();
  const sink = await target.create(file.name);
  try {
    const consume = async (chunk: Uint8Array<ArrayBuffer>): Promise<void> => {
      const writing = sink.write(chunk);
      // Its failure is met below; it must not count as unhandled when hashing fails first.
      writing.catch(() => undefined);
      await hasher.update(chunk);
      checksum.update(chunk);
      await writing;
      onBytes(file.name, chunk.byteLength);
    };
    await streamBytes(source, consume, { signal });
    await sink.close();
  } catch (error) {
    await sink.abort(error).catch(() => undefined);
    throw error;
  }
  return {
    record: { name: file.name, size: file.size, ...(await hasher.digest()) },
    checksum: checksum.digest(),
  };
}

/**
 * Writes one file, closes it, opens it again and holds it against what went out: its size, a checksum of all bytes and,
 * for a shard, its header by the strict reader. Its sha256 is that of the bytes that went out.
 * @throws StudioError family `export`: `verification-failed`, and what the target throws; of family `source` when the
 * source cannot be read.
 */
export async function writeFile(file: PlannedFile, context: WriteContext): Promise<FileRecord> {
  const { target, signal } = context;
  const { record, checksum } = await streamToTarget(file, context);
  try {
    const reopened = await target.open(file.name);
    if (reopened.size !== file.size) throw differs(file.name, `it has ${reopened.size} bytes instead of ${file.size}`);
    const found = await Checksum.create();
    await streamBytes(reopened, (chunk) => found.update(chunk), { signal });
    if (found.digest() !== checksum) throw differs(file.name, 'it reads back with other bytes');
    if (isShard(file)) await readHeader(reopened, signal);
  } catch (error) {
    await target.remove(file.name).catch(() => undefined);
    throw error;
  }
  return record;
}
