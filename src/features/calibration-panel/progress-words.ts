import type { CalibrationState } from '../../stores/calibration-store.ts';
import { formatCount, formatDuration } from '../../ui/number-format.ts';

const PHASES = { loading: 'reading weights', attention: 'attention', experts: 'experts' } as const;

/** What the run is doing, for the line under the bar and for assistive technology. */
export function statusWords({ status, progress, statistics }: CalibrationState): string {
  const measured = statistics?.layers.length ?? 0;
  switch (status) {
    case 'idle':
      return 'Not started';
    case 'starting':
      return progress === null ? 'Preparing text and backend' : layerWords(progress);
    case 'running':
      return progress === null ? 'Preparing text and backend' : layerWords(progress);
    case 'pausing':
      return 'Pausing after the work in hand';
    case 'paused':
      return `Paused${progress === null ? '' : ` in layer ${progress.layer + 1} of ${progress.layers}`}`;
    case 'cancelling':
      return 'Cancelling';
    case 'cancelled':
      return `Cancelled with ${measured} ${measured === 1 ? 'layer' : 'layers'} measured`;
    case 'failed':
      return 'Failed';
    case 'done':
      return `Done: ${measured} layers measured`;
  }
}

/** Rate and time left, empty while unknown. */
export function paceWords({ status, progress }: CalibrationState): string {
  if (status !== 'running' || progress === null || progress.tokenLayersPerSecond <= 0) return '';
  const rate = `${formatCount(Math.round(progress.tokenLayersPerSecond / progress.layers))} tokens/s`;
  return progress.etaSeconds === null ? rate : `${rate}, ${formatDuration(progress.etaSeconds)} left`;
}

function layerWords({ phase, layer, layers }: NonNullable<CalibrationState['progress']>): string {
  return `Layer ${layer + 1} of ${layers}, ${PHASES[phase]}`;
}
