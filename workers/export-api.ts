import { isAbortError } from '../src/core/base/abort.ts';
import { StudioError, toWireError } from '../src/core/base/errors.ts';
import type { SourceFolder } from '../src/core/bytes/byte-source.ts';
import type { Checkpoint } from '../src/core/checkpoint/checkpoint.ts';
import { type ExportLayout, layoutExport } from '../src/core/export/export-layout.ts';
import { formatBytes } from '../src/core/export/format-bytes.ts';
import { plannedFiles } from '../src/core/export/open-target.ts';
import { verifyExport } from '../src/core/export/verify.ts';
import { type ExportResult, writeExport } from '../src/core/export/write-export.ts';
import { writeFailure } from '../src/core/export/write-failure.ts';
import type {
  ExportApi,
  ExportDestination,
  ExportEvent,
  ExportProgress,
  ExportRequest,
} from '../src/core/protocol/export-protocol.ts';
import type { SourceSpec } from '../src/core/protocol/source-spec.ts';
import { DirectoryTarget } from './directory-target.ts';
import { openModel } from './open-model.ts';
import { OpfsExports, type PackedFile, zipSize } from './opfs-exports.ts';

/** What the export needs of the browser. */
export interface ExportPlatform {
  openSource(spec: SourceSpec): SourceFolder | Promise<SourceFolder>;
  /** Root of the origin's private file system. */
  privateRoot(): Promise<FileSystemDirectoryHandle>;
  /** Runs `job` as the only export of this origin. @throws StudioError family `export` code `export-running`. */
  exclusively<T>(job: () => Promise<T>): Promise<T>;
}

/** Browsers keep private files of a few gigabytes at most, and a zip lies there twice while it is packed. */
const MAX_ZIP_BYTES = 2_000_000_000;

export function exportRunning(): StudioError {
  return new StudioError('export', 'export-running', 'Another export is running.', {
    nextStep: 'Wait until it has ended, or cancel it, in this tab or another one.',
  });
}

interface Job {
  readonly checkpoint: Checkpoint;
  readonly layout: ExportLayout;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ExportProgress) => void;
}

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

async function exportZip(
  job: Job,
  root: FileSystemDirectoryHandle,
  requestedName: string,
  maxZipBytes: number,
): Promise<{ result: ExportResult; zip: File }> {
  const { checkpoint, layout, signal, onProgress } = job;
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
    const report = await verifyExport({ folder: exported, source: checkpoint, signal, onProgress });
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

/** The export as the worker serves it; in Node it runs against a fake platform. */
export function createExportApi(platform: ExportPlatform, maxZipBytes = MAX_ZIP_BYTES): ExportApi {
  let running: AbortController | undefined;

  async function runJob(destination: ExportDestination, job: Job): Promise<ExportEvent> {
    if (destination.kind === 'directory') {
      const { files, bytes } = await writeExport({
        ...job,
        target: new DirectoryTarget(destination.handle),
        resume: true,
      });
      return { type: 'done', files, bytes, zip: null };
    }
    const { result, zip } = await exportZip(job, await platform.privateRoot(), destination.name, maxZipBytes);
    return { type: 'done', files: result.files, bytes: result.bytes, zip };
  }

  return {
    async exportModel(request: ExportRequest, events: MessagePort): Promise<void> {
      const send = (event: ExportEvent): void => events.postMessage(event);
      if (running !== undefined) {
        send({ type: 'failed', error: toWireError(exportRunning()) });
        return;
      }
      running = new AbortController();
      const { signal } = running;
      try {
        const ended = await platform.exclusively(async () => {
          const checkpoint = await openModel(platform, request.source, signal);
          const layout = await layoutExport(checkpoint, request.planJson, signal);
          const onProgress = (progress: ExportProgress): void => send({ type: 'progress', progress });
          return runJob(request.destination, { checkpoint, layout, signal, onProgress });
        });
        send(ended);
      } catch (error) {
        send(
          signal.aborted && isAbortError(error) ? { type: 'cancelled' } : { type: 'failed', error: toWireError(error) },
        );
      } finally {
        running = undefined;
      }
    },
    cancel(): void {
      running?.abort(new DOMException('The export was cancelled.', 'AbortError'));
    },
  };
}
