import { createStore } from 'zustand/vanilla';
import type { WireError } from '../core/base/errors.ts';
import type { ExportProgress } from '../core/protocol/export-protocol.ts';

export interface ExportResult {
  readonly files: number;
  readonly bytes: number;
  /** The packed model, when it was asked for. */
  readonly zip: { readonly name: string; readonly file: File } | null;
}

export type ExportStatus = 'idle' | 'running' | 'cancelling' | 'cancelled' | 'failed' | 'done';

interface ExportState {
  readonly status: ExportStatus;
  readonly progress: ExportProgress | null;
  readonly result: ExportResult | null;
  readonly error: WireError | null;
}

export const IDLE_EXPORT: ExportState = { status: 'idle', progress: null, result: null, error: null };

export const exportStore = createStore<ExportState>(() => IDLE_EXPORT);

/** True while the export worker writes. */
export function isExporting(status: ExportStatus): boolean {
  return status === 'running' || status === 'cancelling';
}
