import { StudioError, toWireError } from '../core/base/errors.ts';
import type { SourceSpec } from '../core/protocol/source-spec.ts';
import { calibrationStore, clearCalibration, isUnderWay } from './calibration-store.ts';
import { checkpointStore, chooseSource, noteSummary, type OpenedSource } from './checkpoint-store.ts';
import { exportStore, IDLE_EXPORT, isExporting } from './export-store.ts';
import { viewStore } from './view-store.ts';

/** Reads the headers of a source and notes what they say. @throws StudioError */
export async function openSource({ id, spec }: OpenedSource) {
  const { openCheckpoint } = await import('../client/calibration-client.ts');
  const summary = await openCheckpoint(spec);
  noteSummary(id, summary);
  return summary;
}

/** Turns to another checkpoint; what was measured of the former one goes. Refused while work on that one is under way. */
export function changeSource(spec: SourceSpec): void {
  if (isUnderWay(calibrationStore.getState().status) || isExporting(exportStore.getState().status)) {
    refuse(
      new StudioError('usage', 'busy', 'Another checkpoint cannot be opened while this one is at work.', {
        nextStep: 'Cancel the calibration or export first, or let it finish.',
      }),
    );
    return;
  }
  clearCalibration();
  exportStore.setState(IDLE_EXPORT, true);
  viewStore.setState({ active: { row: 0, expert: 0 } });
  chooseSource(spec);
}

/** Shows why what was chosen or dropped cannot be opened. */
export function refuse(error: unknown): void {
  checkpointStore.setState({ refusal: toWireError(error) });
}
