import type { WireError } from '../base/errors.ts';
import type { ExportProgress } from '../export/export-progress.ts';
import type { VerifyProblem, VerifyReport } from '../export/verify-report.ts';
import type { SourceSpec } from './source-spec.ts';

export type ExportDestination =
  | { readonly kind: 'directory'; readonly handle: FileSystemDirectoryHandle }
  /** Written to the origin's private file system, then offered as one zip. */
  | { readonly kind: 'zip'; readonly name: string };

export interface ExportRequest {
  readonly source: SourceSpec;
  /** The plan file's exact text, as "Export plan" would write it. */
  readonly planJson: string;
  readonly destination: ExportDestination;
  /** Largest size of an output shard in bytes; the source's own split where it is left out. */
  readonly shardBytes?: number;
}

export interface VerifyRequest {
  /** The exported folder. */
  readonly folder: SourceSpec;
  /** The unpruned model; without it the folder is held against its own plan and manifest. */
  readonly source: SourceSpec | null;
  /** Also read the source's files whole and hold them against the sha256 that was published for them. */
  readonly sourceHashes?: boolean;
}

/** What came over the network since the source was opened, and how fast it comes now. */
export interface Transfer {
  readonly bytes: number;
  readonly bytesPerSecond: number;
}

export type { VerifyProblem, VerifyReport };

export interface JobProgress extends ExportProgress {
  /** There for a source that is read over the network. */
  readonly transfer?: Transfer;
}

interface ProgressEvent {
  readonly type: 'progress';
  readonly progress: JobProgress;
}

type EndedEarly = { readonly type: 'cancelled' } | { readonly type: 'failed'; readonly error: WireError };

/** `zip` is there when the destination was a zip. */
export type ExportEvent =
  | ProgressEvent
  | EndedEarly
  | { readonly type: 'done'; readonly files: number; readonly bytes: number; readonly zip: File | null };

export type VerifyEvent = ProgressEvent | EndedEarly | { readonly type: 'done'; readonly report: VerifyReport };

/** What export.worker.ts serves: one job at a time. */
export interface ExportApi {
  /** Resolves when the export has ended in any way; everything else arrives at `events` as ExportEvent. */
  exportModel(request: ExportRequest, events: MessagePort): Promise<void>;
  /** Resolves when the verification has ended in any way; everything else arrives at `events` as VerifyEvent. */
  verifyModel(request: VerifyRequest, events: MessagePort): Promise<void>;
  cancel(): void;
}
