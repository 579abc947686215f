import { createStore } from 'zustand/vanilla';
import type { Transfer } from '../core/protocol/export-protocol.ts';
import { calibrationStore, isUnderWay } from './calibration-store.ts';
import { checkpointStore } from './checkpoint-store.ts';
import { exportStore, isExporting } from './export-store.ts';

/** What reads the checkpoint’s weights; each run counts from 0 on. */
type Reader = 'calibration' | 'export';

/** What came over the network for the chosen checkpoint. */
interface TransferState {
  /** Bytes of runs that were followed by another of their kind. */
  readonly earlier: number;
  /** Bytes of each kind's last run. */
  readonly latest: Readonly<Record<Reader, number>>;
  /** Over the last seconds; 0 while nothing runs. */
  readonly bytesPerSecond: number;
}

const NO_TRANSFER: TransferState = { earlier: 0, latest: { calibration: 0, export: 0 }, bytesPerSecond: 0 };

export const transferStore = createStore<TransferState>(() => NO_TRANSFER);

/** Bytes of the checkpoint since it was chosen, over all runs. */
export function transferredBytes({ earlier, latest }: TransferState): number {
  return earlier + latest.calibration + latest.export;
}

/** Takes over a reader's count: one that is below its last is that of a new run. */
export function afterTransfer(state: TransferState, reader: Reader, transfer: Transfer): TransferState {
  const { bytes, bytesPerSecond } = transfer;
  const last = state.latest[reader];
  return {
    earlier: bytes < last ? state.earlier + last : state.earlier,
    latest: { ...state.latest, [reader]: bytes },
    bytesPerSecond,
  };
}

/** Progress of a run; it carries a read-out where the source lies on a hub. */
interface RunProgress {
  readonly phase: string;
  readonly transfer?: Transfer;
}

function note(reader: Reader, progress: RunProgress | null, running: boolean): void {
  const transfer = progress?.transfer;
  if (running && transfer !== undefined) transferStore.setState((state) => afterTransfer(state, reader, transfer));
  else if (!running && transferStore.getState().bytesPerSecond > 0) transferStore.setState({ bytesPerSecond: 0 });
}

calibrationStore.subscribe(({ status, progress }) => note('calibration', progress, isUnderWay(status)));
exportStore.subscribe(({ status, progress }) => note('export', progress, isExporting(status)));
checkpointStore.subscribe(({ source }, former) => {
  if (source?.id !== former.source?.id) transferStore.setState(NO_TRANSFER);
});
