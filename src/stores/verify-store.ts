import { createStore } from 'zustand/vanilla';
import type { WireError } from '../core/base/errors.ts';
import type { JobProgress, VerifyReport } from '../core/protocol/export-protocol.ts';
import type { SourceSpec } from '../core/protocol/source-spec.ts';

export type VerifyStatus = 'idle' | 'running' | 'cancelling' | 'cancelled' | 'failed' | 'done';

/** What was held against what, for the report. */
export interface Verification {
  readonly folder: SourceSpec;
  readonly source: SourceSpec | null;
}

interface VerifyState {
  /** The verification stands in the page's place. */
  readonly shown: boolean;
  /** The exported folder to look at. */
  readonly folder: SourceSpec | null;
  /** Whether the open model is the one that it was made from. */
  readonly withSource: boolean;
  /** Whether its files are also held against the hashes that were published for them. */
  readonly sourceHashes: boolean;
  readonly status: VerifyStatus;
  readonly progress: JobProgress | null;
  readonly result: (Verification & { readonly report: VerifyReport }) | null;
  readonly error: WireError | null;
}

const NOT_RUN = { status: 'idle', progress: null, result: null, error: null } as const;

export const verifyStore = createStore<VerifyState>(() => ({
  shown: false,
  folder: null,
  withSource: true,
  sourceHashes: false,
  ...NOT_RUN,
}));

/** True while the export worker reads. */
export function isVerifying(status: VerifyStatus): boolean {
  return status === 'running' || status === 'cancelling';
}

/** Opens the verification; what it said of another folder goes when `folder` names one. */
export function showVerification(folder?: SourceSpec): void {
  if (folder === undefined || isVerifying(verifyStore.getState().status)) verifyStore.setState({ shown: true });
  else verifyStore.setState({ shown: true, folder, ...NOT_RUN });
}

/** Back to the page. What runs goes on. */
export function hideVerification(): void {
  verifyStore.setState({ shown: false });
}

export function chooseVerifyFolder(folder: SourceSpec): void {
  verifyStore.setState({ folder, ...NOT_RUN });
}
