import { createStore } from 'zustand/vanilla';
import type { WireError } from '../core/base/errors.ts';
import type {
  BackendDescription,
  CalibrationEvent,
  CalibrationProgress,
} from '../core/protocol/calibration-protocol.ts';
import type { LayerStatistics } from '../core/saliency/layer-statistics.ts';
import type { CalibrationStatistics } from '../core/saliency/statistics-file.ts';

export type CalibrationStatus =
  | 'idle'
  | 'starting'
  | 'running'
  | 'pausing'
  | 'paused'
  | 'cancelling'
  | 'cancelled'
  | 'failed'
  | 'done';

export interface CalibrationState {
  readonly status: CalibrationStatus;
  readonly backend: BackendDescription | null;
  readonly progress: CalibrationProgress | null;
  /** Layers that an earlier run had finished. */
  readonly resumedLayers: number;
  /** What is measured so far, layers ascending; whole once status is `done`. */
  readonly statistics: CalibrationStatistics | null;
  /** sha256 of the statistics file's text, null until the run is done and hashed. */
  readonly statisticsHash: string | null;
  /** What the run went on without, a sentence each. */
  readonly notes: readonly string[];
  readonly error: WireError | null;
}

const EMPTY: CalibrationState = {
  status: 'idle',
  backend: null,
  progress: null,
  resumedLayers: 0,
  statistics: null,
  statisticsHash: null,
  notes: [],
  error: null,
};

export const calibrationStore = createStore<CalibrationState>(() => EMPTY);

const UNDER_WAY: ReadonlySet<CalibrationStatus> = new Set(['starting', 'running', 'pausing', 'paused', 'cancelling']);

/** True while a run holds the worker. */
export function isUnderWay(status: CalibrationStatus): boolean {
  return UNDER_WAY.has(status);
}

export function clearCalibration(): void {
  calibrationStore.setState(EMPTY, true);
}

/** What a report of the worker changes. While a cancel is under way, only the run's end changes the status. */
export function afterEvent(state: CalibrationState, event: CalibrationEvent): Partial<CalibrationState> {
  const { status, statistics } = state;
  const unlessCancelling = (next: CalibrationStatus) => (status === 'cancelling' ? status : next);
  switch (event.type) {
    case 'backend':
      return { backend: event.backend };
    case 'corpus':
      return statistics === null
        ? {}
        : { statistics: { ...statistics, domains: event.domains }, resumedLayers: event.resumedLayers };
    case 'progress':
      return { progress: event.progress, status: status === 'starting' ? 'running' : status };
    case 'layer':
      return statistics === null ? {} : { statistics: withLayer(statistics, event.statistics) };
    case 'note':
      return state.notes.includes(event.message) ? {} : { notes: [...state.notes, event.message] };
    case 'paused':
      return { status: unlessCancelling('paused') };
    case 'resumed':
      return { status: unlessCancelling('running') };
    case 'cancelled':
      return { status: 'cancelled' };
    case 'failed':
      return { status: 'failed', error: event.error };
    case 'done':
      return { status: 'done', statistics: event.statistics };
  }
}

/** Puts a finished layer in its place; a layer that is there already is replaced. */
function withLayer(statistics: CalibrationStatistics, layer: LayerStatistics): CalibrationStatistics {
  const others = statistics.layers.filter((other) => other.layer !== layer.layer);
  return { ...statistics, layers: [...others, layer].sort((a, b) => a.layer - b.layer) };
}
