import { useStore } from 'zustand';
import type { WireError } from '../../core/base/errors.ts';
import { calibrationStore } from '../../stores/calibration-store.ts';
import { exportStore } from '../../stores/export-store.ts';
import { isSourceLost } from './source-errors.ts';

/** Why a run ended that found the model's files changed, or closed to it; null when none did. */
export function useSourceFailure(): WireError | null {
  const calibration = useStore(calibrationStore, (state) => state.error);
  const exporting = useStore(exportStore, (state) => state.error);
  return [calibration, exporting].find((error) => error !== null && isSourceLost(error)) ?? null;
}
