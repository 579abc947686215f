import { toWireError } from '../core/base/errors.ts';
import type { CheckpointSummary } from '../core/checkpoint/summary.ts';
import type { CalibrationEvent, CalibrationRequest } from '../core/protocol/calibration-protocol.ts';
import type { CalibrationStatistics } from '../core/saliency/statistics-file.ts';
import { afterEvent, calibrationStore, clearCalibration, isUnderWay } from './calibration-store.ts';
import { checkpointStore } from './checkpoint-store.ts';
import { chosenDomains, corpusStore } from './corpus-store.ts';
import { forgetUnfinished, noteUnfinished } from './unfinished-run.ts';

const MIB = 2 ** 20;

const client = () => import('../client/calibration-client.ts');

/** Calibrates the open checkpoint on the chosen text. Does nothing while a run is under way or nothing is open. */
export async function startCalibration(): Promise<void> {
  const { source, summary } = checkpointStore.getState();
  if (source === null || summary === null || isUnderWay(calibrationStore.getState().status)) return;
  const { sequenceLength, maxTokensPerDomain, gate, backend, memoryMiB, startAfresh, ...texts } =
    corpusStore.getState();
  const request: CalibrationRequest = {
    source: source.spec,
    domains: chosenDomains(texts),
    sequenceLength,
    maxTokensPerDomain,
    gate,
    backend,
    resume: !startAfresh,
    memoryBudget: memoryMiB * MIB,
  };
  clearCalibration();
  calibrationStore.setState({
    status: 'starting',
    statistics: emptyStatistics(summary, request),
  });
  try {
    const { runCalibration } = await client();
    await runCalibration(request, (event) => applyEvent(event, summary));
  } catch (error) {
    calibrationStore.setState({ status: 'failed', error: toWireError(error) });
  }
}

export async function pauseCalibration(): Promise<void> {
  if (calibrationStore.getState().status !== 'running') return;
  calibrationStore.setState({ status: 'pausing' });
  (await client()).pauseCalibration();
}

export async function resumeCalibration(): Promise<void> {
  const { status } = calibrationStore.getState();
  if (status !== 'paused' && status !== 'pausing') return;
  (await client()).resumeCalibration();
}

export async function cancelCalibration(): Promise<void> {
  if (!isUnderWay(calibrationStore.getState().status)) return;
  calibrationStore.setState({ status: 'cancelling' });
  (await client()).cancelCalibration();
}

function applyEvent(event: CalibrationEvent, summary: CheckpointSummary): void {
  calibrationStore.setState((state) => afterEvent(state, event));
  // Asked for once: after a cancel the layers of this run are taken over.
  if (event.type === 'corpus') corpusStore.setState({ startAfresh: false });
  if (event.type === 'layer') noteUnfinished(summary, calibrationStore.getState().statistics?.layers.length ?? 0);
  if (event.type === 'done') {
    forgetUnfinished(summary);
    void hashStatistics(event.statistics);
  }
}

/** The plan names the statistics it was made from; the hash is worked out beside the drawing, once a run. */
async function hashStatistics(statistics: CalibrationStatistics): Promise<void> {
  try {
    const [{ serialiseStatistics }, { hashText }] = await Promise.all([
      import('../core/saliency/statistics-file.ts'),
      import('../core/saliency/hash-text.ts'),
    ]);
    const statisticsHash = await hashText(serialiseStatistics(statistics));
    if (calibrationStore.getState().statistics === statistics) calibrationStore.setState({ statisticsHash });
  } catch (error) {
    calibrationStore.setState({ status: 'failed', error: toWireError(error) });
  }
}

function emptyStatistics(summary: CheckpointSummary, request: CalibrationRequest): CalibrationStatistics {
  const { architecture, fingerprint, label } = summary;
  return {
    model: { architecture, fingerprint, source: label },
    gate: request.gate,
    domains: request.domains.map(({ name }) => ({ name, tokens: 0, sequences: 0, hash: '' })),
    layers: [],
  };
}
