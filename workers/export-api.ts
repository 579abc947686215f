import { parseDescriptor } from '../src/core/architectures/descriptor-file.ts';
import { isAbortError } from '../src/core/base/abort.ts';
import { StudioError, toWireError, type WireError } from '../src/core/base/errors.ts';
import type { SourceFolder } from '../src/core/bytes/byte-source.ts';
import { layoutExport } from '../src/core/export/export-layout.ts';
import type { ExportProgress } from '../src/core/export/export-progress.ts';
import type { OpenFileHasher } from '../src/core/export/file-hasher.ts';
import { verifyExport } from '../src/core/export/verify.ts';
import { writeExport } from '../src/core/export/write-export.ts';
import type {
  ExportApi,
  ExportEvent,
  ExportRequest,
  JobProgress,
  VerifyEvent,
  VerifyRequest,
} from '../src/core/protocol/export-protocol.ts';
import type { SourceSpec } from '../src/core/protocol/source-spec.ts';
import { DirectoryTarget } from './directory-target.ts';
import { openModel } from './open-model.ts';
import { exportZip } from './zip-export.ts';

/** What the export needs of the browser. */
export interface ExportPlatform {
  openSource(spec: SourceSpec): SourceFolder | Promise<SourceFolder>;
  /** The browser's fastest hashing; WebAssembly on the calling thread where it is left out. */
  readonly openHasher?: OpenFileHasher;
  /** Root of the origin's private file system. */
  privateRoot(): Promise<FileSystemDirectoryHandle>;
  /** Runs `job` as the only export of this origin. @throws StudioError family `export` code `export-running`. */
  exclusively<T>(job: () => Promise<T>): Promise<T>;
}

/** Browsers keep private files of a few gigabytes at most, and a zip lies there twice while it is packed. */
const MAX_ZIP_BYTES = 2_000_000_000;

/** One export writes at a time; `what` is what stands in its way. */
export function exportRunning(what = 'Another export'): StudioError {
  return new StudioError('export', 'export-running', `${what} is running.`, {
    nextStep: 'Wait until it has ended, or cancel it, in this tab or another one.',
  });
}

function withTransfer(progress: ExportProgress, source: SourceFolder | undefined): JobProgress {
  const transfer = source?.transfer;
  if (transfer === undefined) return progress;
  return { ...progress, transfer: { bytes: transfer.bytes, bytesPerSecond: transfer.bytesPerSecond() } };
}

/** What any job can send at its end. */
type Ending = { readonly type: 'cancelled' } | { readonly type: 'failed'; readonly error: WireError };

/** The exports and verifications as the worker serves them; in Node they run against a fake platform. */
export function createExportApi(platform: ExportPlatform, maxZipBytes = MAX_ZIP_BYTES): ExportApi {
  const hashing = platform.openHasher === undefined ? {} : { openHasher: platform.openHasher };
  let running: AbortController | undefined;

  /** Runs one job and sends how it ended. */
  async function run<Event>(
    events: MessagePort,
    job: (signal: AbortSignal, send: (event: Event | Ending) => void) => Promise<Event>,
  ): Promise<void> {
    const send = (event: Event | Ending): void => events.postMessage(event);
    if (running !== undefined) {
      send({ type: 'failed', error: toWireError(exportRunning('An export or a verification')) });
      return;
    }
    running = new AbortController();
    const { signal } = running;
    try {
      send(await job(signal, send));
    } catch (error) {
      send(
        signal.aborted && isAbortError(error) ? { type: 'cancelled' } : { type: 'failed', error: toWireError(error) },
      );
    } finally {
      running = undefined;
    }
  }

  async function runExport(
    request: ExportRequest,
    signal: AbortSignal,
    send: (event: ExportEvent) => void,
  ): Promise<ExportEvent> {
    const { destination, shardBytes } = request;
    const checkpoint = await openModel(platform, request.source, signal);
    const layout = await layoutExport(checkpoint, request.planJson, signal, { shardBytes });
    const onProgress = (progress: ExportProgress): void =>
      send({ type: 'progress', progress: withTransfer(progress, checkpoint.folder) });
    const job = { checkpoint, layout, signal, onProgress, ...hashing };
    if (destination.kind === 'directory') {
      const target = new DirectoryTarget(destination.handle);
      const { files, bytes } = await writeExport({ ...job, target, resume: true });
      return { type: 'done', files, bytes, zip: null };
    }
    const { result, zip } = await exportZip(job, await platform.privateRoot(), destination.name, maxZipBytes);
    return { type: 'done', files: result.files, bytes: result.bytes, zip };
  }

  async function runVerification(
    request: VerifyRequest,
    signal: AbortSignal,
    send: (event: VerifyEvent) => void,
  ): Promise<VerifyEvent> {
    const { descriptor } = request.folder;
    const source = request.source === null ? undefined : await openModel(platform, request.source, signal);
    const report = await verifyExport({
      folder: await platform.openSource(request.folder),
      source,
      sourceHashes: source !== undefined && request.sourceHashes === true,
      ...hashing,
      ...(descriptor === undefined ? {} : { architecture: parseDescriptor(descriptor) }),
      signal,
      onProgress: (progress) => send({ type: 'progress', progress: withTransfer(progress, source?.folder) }),
    });
    return { type: 'done', report };
  }

  return {
    exportModel: (request, events) =>
      run<ExportEvent>(events, (signal, send) => platform.exclusively(() => runExport(request, signal, send))),
    verifyModel: (request, events) =>
      run<VerifyEvent>(events, (signal, send) => runVerification(request, signal, send)),
    cancel(): void {
      running?.abort(new DOMException('The export was cancelled.', 'AbortError'));
    },
  };
}
