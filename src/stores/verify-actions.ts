import { downloadBlob, safeFileName } from '../client/download.ts';
import { toWireError } from '../core/base/errors.ts';
import type { VerifyEvent } from '../core/protocol/export-protocol.ts';
import { checkpointStore } from './checkpoint-store.ts';
import { exportStore, isExporting } from './export-store.ts';
import { verificationText } from './verify-report-file.ts';
import { isVerifying, showVerification, type Verification, verifyStore } from './verify-store.ts';

const client = () => import('../client/export-client.ts');

/** Opens the verification of a folder that was just exported into, and runs it. */
export async function verifyExported(handle: FileSystemDirectoryHandle): Promise<void> {
  showVerification({ kind: 'directory', label: handle.name, handle });
  await verifyModel();
}

/** Holds the chosen folder against its plan and manifest, and against the open model where that is wanted. */
export async function verifyModel(): Promise<void> {
  const { folder, withSource, sourceHashes, status } = verifyStore.getState();
  if (folder === null || isVerifying(status) || isExporting(exportStore.getState().status)) return;
  const source = withSource ? (checkpointStore.getState().source?.spec ?? null) : null;
  verifyStore.setState({ status: 'running', progress: null, result: null, error: null });
  try {
    const [{ runVerification }, { keepAwake }] = await Promise.all([client(), import('../client/wake-lock.ts')]);
    await keepAwake(() =>
      runVerification({ folder, source, sourceHashes }, (event) => applyEvent(event, { folder, source })),
    );
  } catch (error) {
    failVerification(error);
  }
}

export async function cancelVerification(): Promise<void> {
  if (verifyStore.getState().status !== 'running') return;
  verifyStore.setState({ status: 'cancelling' });
  (await client()).cancelExportJob();
}

/** Shows why a verification could not start. */
export function failVerification(error: unknown): void {
  verifyStore.setState({ status: 'failed', progress: null, result: null, error: toWireError(error) });
}

/** Downloads {folder}.verification.json. */
export function saveVerification(): void {
  const { result } = verifyStore.getState();
  if (result === null) return;
  const text = verificationText(result, result.report);
  const name = `${safeFileName(result.folder.label)}.verification.json`;
  downloadBlob(name, new Blob([text], { type: 'application/json' }));
}

function applyEvent(event: VerifyEvent, verification: Verification): void {
  if (event.type === 'progress') verifyStore.setState({ progress: event.progress });
  if (event.type === 'cancelled') verifyStore.setState({ status: 'cancelled', progress: null });
  if (event.type === 'failed') verifyStore.setState({ status: 'failed', progress: null, error: event.error });
  if (event.type === 'done')
    verifyStore.setState({ status: 'done', progress: null, result: { ...verification, report: event.report } });
}
