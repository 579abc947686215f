import type { ByteSource } from '../bytes/byte-source.ts';
import { streamBytes } from './byte-stream.ts';
import { firstDifference } from './compare-bytes.ts';
import type { PlannedFile } from './export-layout.ts';
import type { JournalEntry } from './journal.ts';
import { type FileRecord, hashFile, type WriteContext } from './write-file.ts';

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
    if (firstDifference(left, right) >= 0) return false;
  }
  return true;
}

async function allEqual(stored: ByteSource, planned: ByteSource, signal: AbortSignal | undefined): Promise<boolean> {
  let position = 0;
  let equal = true;
  const compare = async (chunk: Uint8Array<ArrayBuffer>): Promise<void> => {
    if (equal) equal = firstDifference(chunk, await stored.read(position, chunk.byteLength, signal)) < 0;
    position += chunk.byteLength;
  };
  await streamBytes(planned, compare, { signal });
  return equal;
}

/**
 * Looks at a file that an earlier run finished. Its bytes are read and hashed again and held against the source: samples
 * of them while the source files are still those that it was written from, and all where their versions have changed.
 * @param source Of the present source files, as in the journal.
 * @returns its record, or undefined (with the file removed) when it must be written anew.
 */
export async function recheckFile(
  file: PlannedFile,
  entry: JournalEntry,
  source: string,
  context: WriteContext,
): Promise<FileRecord | undefined> {
  const { target, signal } = context;
  if (!(await target.list()).includes(file.name)) return undefined;
  const stored = await target.open(file.name);
  const isOfSource = entry.source === source ? samplesEqual : allEqual;
  if (stored.size === file.size && (await isOfSource(stored, await file.open(signal), signal))) {
    const record = await hashFile(stored, file, context);
    if (record.sha256 === entry.sha256) {
      context.onBytes(file.name, file.size);
      return record;
    }
  }
  await target.remove(file.name);
  return undefined;
}
