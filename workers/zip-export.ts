import { StudioError } from '../src/core/base/errors.ts';
import type { SourceFolder } from '../src/core/bytes/byte-source.ts';
import type { ExportProgress } from '../src/core/export/export-progress.ts';
import { formatBytes } from '../src/core/export/format-bytes.ts';
import { plannedFiles } from '../src/core/export/open-target.ts';
import { verifyExport } from '../src/core/export/verify.ts';
import { type ExportJob, type ExportResult, writeExport } from '../src/core/export/write-export.ts';
import { writeFailure } from '../src/core/export/write-failure.ts';
import { DirectoryTarget } from './directory-target.ts';
import { OpfsExports, type PackedFile, zipSize } from './opfs-exports.ts';

/** Characters that some systems refuse in file names become hyphens. */
function fileName(name: string): string {
  const safe = name.replace(/[^\p{L}\p{N} ._-]+/gu, '-').replace(/^[ .]+|[ .]+$/g, '');
  return safe === '' ? 'model' : safe;
}

async function packedFiles(target: FileSystemDirectoryHandle, names: readonly string[]): Promise<PackedFile[]> {
  const files: PackedFile[] = [];
  for (const name of names) files.push({ name, file: await (await target.getFileHandle(name)).getFile() });
  return files;
}

function refuseLargeZip(size: number, maxBytes: number): void {
  if (size <= maxBytes) return;
  throw new StudioError(
    'export',
    'too-large-for-zip',
    `The zip would have ${formatBytes(size)}; a browser can hand over at most ${formatBytes(maxBytes)}.`,
    {
      nextStep: 'Choose a folder to export into instead.',
      details: { bytes: size, maxBytes },
    },
  );
}

/** Writes the export into the origin's private file system, verifies it there and packs it into one zip. */
export async function exportZip(
  job: Omit<ExportJob, 'target' | 'resume'> & { readonly signal: AbortSignal },
  root: FileSystemDirectoryHandle,
  requestedName: string,
  maxZipBytes: number,
): Promise<{ result: ExportResult; zip: File }> {
  const { checkpoint, layout, signal } = job;
  const onProgress = (progress: ExportProgress): void => job.onProgress?.(progress);
  const name = fileName(requestedName);
  refuseLargeZip(zipSize(name, plannedFiles(layout)), maxZipBytes);
  const exports = await OpfsExports.open(root);
  const folderName = crypto.randomUUID();
  const folder = await exports.createFolder(folderName);
  try {
    const target = new DirectoryTarget(folder);
    const result = await writeExport({ ...job, target, resume: false });
    const names = await target.list();
    const exported: SourceFolder = { label: name, names, open: (file) => target.open(file) };
    const report = await verifyExport({ ...job, folder: exported, source: checkpoint });
    const problem = report.problems[0];
    if (problem !== undefined) {
      throw new StudioError('export', 'verification-failed', `The export does not check out: ${problem.message}`, {
        nextStep: 'Export again. If it happens again, export into a folder on another disk.',
        details: { file: problem.file, tensor: problem.tensor },
      });
    }
    const files = await packedFiles(folder, [...names].sort());
    const bytesTotal = zipSize(
      name,
      files.map(({ name: file, file: { size } }) => ({ name: file, size })),
    );
    let bytesDone = 0;
    const zip = await exports.zip(name, files, signal, (bytes) => {
      bytesDone += bytes;
      onProgress({ phase: 'packing', file: `${name}.zip`, bytesDone, bytesTotal });
    });
    return { result, zip };
  } catch (error) {
    throw writeFailure(error, `${name}.zip`, 2 * plannedFiles(layout).reduce((sum, file) => sum + file.size, 0));
  } finally {
    await exports.removeFolder(folderName).catch(() => undefined);
  }
}
