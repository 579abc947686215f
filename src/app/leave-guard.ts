import { calibrationStore, isUnderWay } from '../stores/calibration-store.ts';
import { exportStore, isExporting } from '../stores/export-store.ts';

/** Makes the browser ask before the page is left in the middle of work. */
export function guardLeaving(): void {
  window.addEventListener('beforeunload', (event) => {
    const busy = isUnderWay(calibrationStore.getState().status) || isExporting(exportStore.getState().status);
    if (busy) event.preventDefault();
  });
}
