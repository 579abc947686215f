import type { CheckpointSummary } from '../core/checkpoint/summary.ts';
import { type Imported, isImportable, isTorchFileName, readImport } from '../core/imports/read-import.ts';
import { type CalibrationStatistics, parseStatistics } from '../core/saliency/statistics-file.ts';
import { usageError } from './arguments.ts';
import { NodeFileSource, nodeErrorCode } from './node-file-source.ts';
import { readTextFile } from './text-files.ts';

interface ReadStatistics {
  readonly statistics: CalibrationStatistics;
  /** What was understood and what is missing, for files of other tools. */
  readonly notes: readonly string[];
}

/**
 * Statistics from a file of the studio, or from one of another tool that is held against the model.
 * @throws StudioError as parseStatistics and readImport; family `usage`: `missing-option` without the model that a foreign
 *   file needs, `no-statistics` for a file that holds a choice of experts.
 */
export async function readStatistics(path: string, summary: CheckpointSummary | undefined): Promise<ReadStatistics> {
  if (!isTorchFileName(path)) {
    const text = await readTextFile(path);
    if (!isForeign(text)) return { statistics: parseStatistics(text), notes: [] };
  }
  if (summary === undefined) {
    throw usageError(
      'missing-option',
      `"${path}" is another tool's file: --model MODEL says which layers it is about.`,
    );
  }
  const imported = await importFile(path, summary);
  if (imported.kind === 'statistics') return imported;
  throw usageError(
    'no-statistics',
    `"${path}" lists which experts stay and holds no statistics: give it to plan --import.`,
  );
}

/** What another tool's file comes to on this model. @throws StudioError as readImport, and family `source` for one that cannot be read. */
export async function importFile(path: string, summary: CheckpointSummary): Promise<Imported> {
  return readImport(await openFile(path), summary);
}

async function openFile(path: string): Promise<NodeFileSource> {
  try {
    return await NodeFileSource.open(path);
  } catch (error) {
    // Gives the sentence for a file that is not there.
    if (nodeErrorCode(error) === 'ENOENT') await readTextFile(path);
    throw error;
  }
}

function isForeign(text: string): boolean {
  try {
    return isImportable(JSON.parse(text));
  } catch {
    return false;
  }
}
