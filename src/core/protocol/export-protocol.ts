import type { WireError } from '../base/errors.ts';
import type { ExportProgress } from '../export/export-progress.ts';
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
}

export type { ExportProgress };

export type ExportEvent =
  | { readonly type: 'progress'; readonly progress: ExportProgress }
  | { readonly type: 'cancelled' }
  /** `zip` is there when the destination was a zip. */
  | { readonly type: 'done'; readonly files: number; readonly bytes: number; readonly zip: File | null }
  | { readonly type: 'failed'; readonly error: WireError };

/** What export.worker.ts serves. */
export interface ExportApi {
  /** Resolves when the export has ended in any way; everything else arrives at `events` as ExportEvent. */
  exportModel(request: ExportRequest, events: MessagePort): Promise<void>;
  cancel(): void;
}
