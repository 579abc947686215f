import { calibrate } from '../../../src/core/calibration/calibrate.ts';
import type { InferenceBackend } from '../../../src/core/calibration/inference-backend.ts';
import { RunControl } from '../../../src/core/calibration/run-control.ts';
import { STAGES, type StageReport } from '../../../src/core/calibration/stage-meter.ts';
import type { Checkpoint } from '../../../src/core/checkpoint/checkpoint.ts';
import { madeUpTokens } from './made-up-model.ts';

const NAMES = { read: 'reading', convert: 'uploading and converting', compute: 'computing' } as const;

export interface Measured {
  readonly seconds: number;
  readonly stages: StageReport;
  /** The statistics, to be held against another run's. */
  readonly statistics: string;
}

/** Calibrates a checkpoint on made-up tokens; `overlap` off does one thing after the other. Closes the backend. */
export async function measure(
  checkpoint: Checkpoint,
  backend: InferenceBackend,
  tokens: number,
  overlap: boolean,
): Promise<Measured> {
  try {
    const limits = { ...backend.limits, groupsAhead: overlap ? 1 : 0 } as const;
    const start = performance.now();
    const layers = [];
    const options = { checkpoint, backend, limits, domains: [madeUpTokens(tokens)], gate: 'model' } as const;
    for await (const layer of calibrate({ ...options, control: new RunControl() })) layers.push(layer);
    return {
      seconds: (performance.now() - start) / 1000,
      stages: backend.stages.report(),
      statistics: JSON.stringify(layers),
    };
  } finally {
    await backend.close();
  }
}

/** One line: seconds, and the share of them that each stage waited for the others. */
export function lineOf(name: string, { seconds, stages }: Measured, bytes: number): string {
  const waits = STAGES.map(
    (stage) =>
      `${NAMES[stage]} ${((100 * stages.wait[stage]) / stages.elapsed).toFixed(0).padStart(3)} % (busy ${(stages.busy[stage] / 1000).toFixed(1)} s)`,
  );
  const rate = `${(bytes / seconds / 1e6).toFixed(0)} MB/s of checkpoint`;
  return `  ${name.padEnd(34)} ${seconds.toFixed(1).padStart(6)} s, ${rate}; waits: ${waits.join(', ')}`;
}

/** @throws Error when two runs gave different statistics. */
export function holdEqual(one: Measured, other: Measured): void {
  if (one.statistics !== other.statistics) throw new Error('overlapping changed the statistics');
}
