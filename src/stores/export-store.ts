import { createStore } from 'zustand/vanilla';
import type { WireError } from '../core/base/errors.ts';
import type { ExportRequest, JobProgress } from '../core/protocol/export-protocol.ts';

export interface ExportResult {
  readonly files: number;
  readonly bytes: number;
  /** The packed model, when it was asked for. */
  readonly zip: { readonly name: string; readonly file: File } | null;
  /** The folder that was written into, when one was. */
  readonly folder: FileSystemDirectoryHandle | null;
}

/** An export into a folder that ended early and goes on from its last finished file. */
export interface UnfinishedExport {
  readonly request: ExportRequest;
  readonly folder: FileSystemDirectoryHandle;
  /** Of the files that are finished, as far as is known. */
  readonly bytesKept: number;
  /** Of the whole export; 0 while that is not known. */
  readonly bytesTotal: number;
}

export type ExportStatus = 'idle' | 'running' | 'cancelling' | 'cancelled' | 'failed' | 'done';

export interface ExportState {
  readonly status: ExportStatus;
  readonly progress: JobProgress | null;
  /** Bytes of the files that were finished before the present one. */
  readonly bytesKept: number;
  readonly result: ExportResult | null;
  readonly error: WireError | null;
  readonly unfinished: UnfinishedExport | null;
}

export const IDLE_EXPORT: ExportState = {
  status: 'idle',
  progress: null,
  bytesKept: 0,
  result: null,
  error: null,
  unfinished: null,
};

export const exportStore = createStore<ExportState>(() => IDLE_EXPORT);

/** True while the export worker writes. */
export function isExporting(status: ExportStatus): boolean {
  return status === 'running' || status === 'cancelling';
}

/** Takes over a progress event. A file is finished, checked and kept once the next one begins. */
export function noteExportProgress(progress: JobProgress): void {
  const { progress: former, bytesKept } = exportStore.getState();
  const next = former !== null && former.phase === 'writing' && former.file !== progress.file;
  exportStore.setState({ progress, bytesKept: next ? former.bytesDone : bytesKept });
}

/** Refusals that the same request meets again, however often it is repeated. */
const FINAL: ReadonlySet<string> = new Set(['target-not-empty', 'foreign-journal', 'changed', 'too-large-for-zip']);

/** Notes how the export ended early, and what it can go on from. */
export function noteEndedEarly(request: ExportRequest, error: WireError | null): void {
  const { progress, bytesKept } = exportStore.getState();
  const { destination } = request;
  const final = error !== null && (FINAL.has(error.code) || (error.family !== 'export' && progress === null));
  const unfinished =
    destination.kind !== 'directory' || final
      ? null
      : { request, folder: destination.handle, bytesKept, bytesTotal: progress?.bytesTotal ?? 0 };
  exportStore.setState({ ...IDLE_EXPORT, status: error === null ? 'cancelled' : 'failed', error, unfinished }, true);
}
