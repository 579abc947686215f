import { isStudioError, StudioError, toWireError } from '../core/base/errors.ts';
import type { CheckpointSummary } from '../core/checkpoint/summary.ts';
import type { SourceSpec } from '../core/protocol/source-spec.ts';
import { calibrationStore, clearCalibration, isUnderWay } from './calibration-store.ts';
import { checkpointStore, chooseSource, isChosen, noteSummary, type OpenedSource } from './checkpoint-store.ts';
import { exportStore, IDLE_EXPORT, isExporting } from './export-store.ts';
import { closeRepoDialog } from './hub-store.ts';
import { withKeptDescriptor } from './inspector-kept.ts';
import { needsInspector, openInspector } from './inspector-open.ts';
import { closeInspector, inspectorStore } from './inspector-store.ts';
import { rememberSource } from './remembered-store.ts';
import { viewStore } from './view-store.ts';

/**
 * Reads the headers of a source and notes what they say. A descriptor that was kept for its type comes before the
 * studio's own; a type that the studio does not know leads to the inspector. What was opened is remembered.
 * @throws StudioError
 */
export async function openSource(source: OpenedSource): Promise<CheckpointSummary> {
  try {
    const opened = await openKept(source);
    if (isChosen(source)) {
      // Before the page turns to the model: the dialog would stand on the next screen again.
      closeRepoDialog();
      void rememberSource(source.spec);
    }
    noteSummary(opened.source, opened.summary);
    return opened.summary;
  } catch (error) {
    const refusal = toWireError(error);
    if (isChosen(source) && needsInspector(refusal)) {
      closeRepoDialog();
      void openInspector(source, refusal);
    }
    throw error;
  }
}

async function openKept({ id, spec }: OpenedSource): Promise<{ source: OpenedSource; summary: CheckpointSummary }> {
  const { openCheckpoint } = await import('../client/calibration-client.ts');
  const kept = await withKeptDescriptor(spec);
  if (kept !== null) {
    try {
      return { source: { id, spec: kept }, summary: await openCheckpoint(kept) };
    } catch (error) {
      // It was kept for other files of this type: the studio's own descriptor may fit these.
      if (!isStudioError(error, 'checkpoint')) throw error;
    }
  }
  return { source: { id, spec }, summary: await openCheckpoint(spec) };
}

/** Why another checkpoint cannot be opened now, or null. */
export function whyBusy(): StudioError | null {
  const busy = isUnderWay(calibrationStore.getState().status) || isExporting(exportStore.getState().status);
  if (!busy) return null;
  return new StudioError('usage', 'busy', 'Another checkpoint cannot be opened while this one is at work.', {
    nextStep: 'Cancel the calibration or export first, or let it finish.',
  });
}

/** Turns to another checkpoint; what was measured of the former one goes. Refused while work on that one is under way. */
export function changeSource(spec: SourceSpec): void {
  const busy = whyBusy();
  if (busy !== null) {
    refuse(busy);
    return;
  }
  clearCalibration();
  closeInspector();
  exportStore.setState(IDLE_EXPORT, true);
  viewStore.setState({ active: { row: 0, expert: 0 } });
  chooseSource(spec);
}

/** Shows why what was chosen or dropped cannot be opened: in the inspector where that stands in the page's place. */
export function refuse(error: unknown): void {
  const refusal = toWireError(error);
  if (inspectorStore.getState().source === null) checkpointStore.setState({ refusal });
  else inspectorStore.setState({ error: refusal, notice: null });
}
