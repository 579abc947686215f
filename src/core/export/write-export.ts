import { StudioError } from '../base/errors.ts';
import type { TargetFolder } from '../bytes/byte-sink.ts';
import { MemorySource } from '../bytes/memory-source.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { MANIFEST_FILE } from './export-files.ts';
import type { ExportLayout, PlannedFile } from './export-layout.ts';
import type { ExportProgress } from './export-progress.ts';
import { makeManifest, serialiseManifest } from './manifest.ts';
import { openTarget, plannedFiles } from './open-target.ts';
import { type FileRecord, hashFile, recheckFile, type WriteContext, writeFile } from './write-file.ts';

export interface ExportJob {
  readonly checkpoint: Checkpoint;
  readonly layout: ExportLayout;
  readonly target: TargetFolder;
  /** Go on where an earlier run of the same export into this folder ended. */
  readonly resume: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: ExportProgress) => void;
}

export interface ExportResult {
  readonly files: number;
  readonly bytes: number;
  /** Files that an earlier run had finished and that were found right. */
  readonly resumedFiles: number;
}

/** @throws StudioError family `source` code `changed` when a source file has another size than when it was opened. */
async function checkSources(job: ExportJob, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const expected = job.layout.sourceSizes.get(file);
    const { size } = await job.checkpoint.folder.open(file, job.signal);
    if (size === expected) continue;
    throw new StudioError(
      'source',
      'changed',
      `The source file "${file}" changed during the export: it had ${expected ?? 0} bytes and now has ${size}.`,
      {
        nextStep: 'Open the model again and export into an empty folder.',
        details: { file, expected: expected ?? null, found: size },
      },
    );
  }
}

/**
 * Writes the pruned checkpoint into the target so that nothing can be lost: each file is written, closed, opened again,
 * read strictly and hashed before the journal counts it as finished; the index, the plan, the manifest and config.json
 * come last, so that an unfinished folder never looks like a model. After a failure or an abort at any moment, the same
 * call with `resume` ends with the same bytes as an undisturbed run. The source is only read.
 * @throws StudioError of the families `export` (`target-not-empty`, `unfinished-export`, `verification-failed`,
 * `write-failed`, `disk-full`, `permission-lost`) and `source`; the signal's reason.
 */
export async function writeExport(job: ExportJob): Promise<ExportResult> {
  const { checkpoint, layout, target, signal } = job;
  signal?.throwIfAborted();
  const { journal, finished } = await openTarget(target, layout, checkpoint.fingerprint, job.resume);
  const all = plannedFiles(layout);
  const bytesTotal = all.reduce((sum, file) => sum + file.size, 0);
  let bytesDone = 0;
  let bytesKept = 0;
  const context: WriteContext = {
    target,
    signal,
    onBytes: (file, bytes) => {
      bytesDone += bytes;
      job.onProgress?.({ phase: 'writing', file, bytesDone, bytesTotal });
    },
    missingBytes: () => bytesTotal - bytesKept,
  };
  const records: FileRecord[] = [];
  let resumedFiles = 0;
  const keep = (record: FileRecord): void => {
    records.push(record);
    bytesKept += record.size;
  };
  const writeLarge = async (file: PlannedFile): Promise<void> => {
    await checkSources(job, file.sourceFiles);
    const earlier = finished.get(file.name);
    const checked = earlier === undefined ? undefined : await recheckFile(file, earlier.sha256, context);
    if (checked !== undefined) {
      resumedFiles++;
      keep(checked);
      return;
    }
    const record = await writeFile(file, context);
    await checkSources(job, file.sourceFiles);
    keep(record);
    await journal.append({ file: record.name, size: record.size, sha256: record.sha256 }, context.missingBytes());
  };
  for (const file of [...layout.shards, ...layout.companions]) await writeLarge(file);
  if (layout.index !== undefined) keep(await writeFile(layout.index, context));
  keep(await writeFile(layout.planFile, context));
  // The manifest names config.json's hash, and config.json is written last: its bytes are known already.
  const config = await hashFile(await layout.config.open(), layout.config, signal);
  const manifestBytes = new TextEncoder().encode(await serialiseManifest(makeManifest(layout, [...records, config])));
  const manifest: PlannedFile = {
    name: MANIFEST_FILE,
    size: manifestBytes.byteLength,
    sourceFiles: [],
    open: async () => new MemorySource(MANIFEST_FILE, manifestBytes),
  };
  await writeFile(manifest, { ...context, onBytes: () => undefined });
  keep(await writeFile(layout.config, context));
  await journal.remove();
  return { files: records.length + 1, bytes: bytesKept + manifest.size, resumedFiles };
}
