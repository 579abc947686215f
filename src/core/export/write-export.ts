import type { TargetFolder } from '../bytes/byte-sink.ts';
import { MemorySource } from '../bytes/memory-source.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { MANIFEST_FILE } from './export-files.ts';
import type { ExportLayout, PlannedFile } from './export-layout.ts';
import type { ExportProgress } from './export-progress.ts';
import type { OpenFileHasher } from './file-hasher.ts';
import { checkFinishedExport } from './finished-export.ts';
import { GuardedTarget } from './guarded-target.ts';
import { makeManifest, serialiseManifest } from './manifest.ts';
import { type OpenedTarget, openTarget, plannedFiles } from './open-target.ts';
import { recheckFile } from './recheck-file.ts';
import { SourceCheck } from './source-check.ts';
import { openTensorHasher } from './tensor-hasher.ts';
import { type FileRecord, hashFile, type WriteContext, writeFile } from './write-file.ts';

export interface ExportJob {
  readonly checkpoint: Checkpoint;
  readonly layout: ExportLayout;
  readonly target: TargetFolder;
  /** Go on where an earlier run of the same export into this folder ended. */
  readonly resume: boolean;
  /** Whether the caller holds the target's lock file; without it a target that has one is refused. */
  readonly lockHeld?: boolean;
  /** The platform's fastest; WebAssembly on the calling thread when absent. */
  readonly openHasher?: OpenFileHasher;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: ExportProgress) => void;
}

export interface ExportResult {
  readonly files: number;
  readonly bytes: number;
  /** Files that an earlier run had finished and that were found right. */
  readonly resumedFiles: number;
}

function inMemory(name: string, bytes: Uint8Array<ArrayBuffer>): PlannedFile {
  return { name, size: bytes.byteLength, sourceFiles: [], open: async () => new MemorySource(name, bytes) };
}

/** Writes what an opened target still lacks. */
async function writeFiles(
  job: ExportJob,
  { journal, finished }: OpenedTarget,
  context: WriteContext,
  onKept: (bytes: number) => void,
): Promise<ExportResult> {
  const { checkpoint, layout, signal } = job;
  const source = new SourceCheck(checkpoint, layout.sourceVersions);
  const records: FileRecord[] = [];
  let resumedFiles = 0;
  const keep = (record: FileRecord): void => {
    records.push(record);
    onKept(record.size);
  };
  const writeLarge = async (file: PlannedFile): Promise<void> => {
    await source.unchanged(file.sourceFiles, signal);
    const sourceHash = await source.hashOf(file.sourceFiles);
    const earlier = finished.get(file.name);
    const checked = earlier === undefined ? undefined : await recheckFile(file, earlier, sourceHash, context);
    if (checked !== undefined) {
      resumedFiles++;
      keep(checked);
      return;
    }
    const record = await writeFile(file, context);
    await source.unchanged(file.sourceFiles, signal);
    keep(record);
    await journal.append({ file: record.name, size: record.size, sha256: record.sha256, source: sourceHash });
  };
  for (const file of [...layout.shards, ...layout.companions]) await writeLarge(file);
  if (layout.index !== undefined) keep(await writeFile(layout.index, context));
  keep(await writeFile(layout.planFile, context));
  // The manifest names config.json's hash, and config.json is written last: its bytes are known already.
  const config = await hashFile(await layout.config.open(), layout.config, context);
  const text = await serialiseManifest(makeManifest(layout, [...records, config], checkpoint.folder));
  const manifest = inMemory(MANIFEST_FILE, new TextEncoder().encode(text));
  await writeFile(manifest, { ...context, onBytes: () => undefined });
  keep(await writeFile(layout.config, context));
  await journal.remove();
  const bytes = records.reduce((sum, { size }) => sum + size, manifest.size);
  return { files: records.length + 1, bytes, resumedFiles };
}

/**
 * Writes the pruned checkpoint into a folder: the shards and copied files one by one, each written, closed, opened again
 * and held against what went out before the next; then the index, the plan and the manifest; config.json last, so that an
 * unfinished folder never looks like a model. A journal in the folder lets an interrupted export go on; the bytes are
 * those of an uninterrupted one. Of a complete export of the same plan, `resume` checks every file.
 * @throws StudioError of family `export`: `target-not-empty`, `foreign-journal`, `export-running`, `unfinished-export`,
 * `disk-full`, `permission-lost`, `write-failed`, `verification-failed`; of family `source` when the source changed or
 * cannot be read; the signal's reason when aborted.
 */
export async function writeExport(job: ExportJob): Promise<ExportResult> {
  const { checkpoint, layout, signal, resume, lockHeld = false, openHasher = openTensorHasher } = job;
  signal?.throwIfAborted();
  const bytesTotal = plannedFiles(layout).reduce((sum, file) => sum + file.size, 0);
  let bytesDone = 0;
  let bytesKept = 0;
  const target = new GuardedTarget(job.target, () => bytesTotal - bytesKept);
  const context: WriteContext = {
    target,
    openHasher,
    signal,
    onBytes: (file, bytes) => {
      bytesDone += bytes;
      job.onProgress?.({ phase: 'writing', file, bytesDone, bytesTotal });
    },
  };
  const { fingerprint } = checkpoint;
  const opened = await openTarget(target, { layout, fingerprint, resume, lockHeld });
  if (opened !== undefined) {
    return writeFiles(job, opened, context, (bytes) => {
      bytesKept += bytes;
    });
  }
  const { files, bytes } = await checkFinishedExport(layout, fingerprint, context);
  return { files, bytes, resumedFiles: files };
}
