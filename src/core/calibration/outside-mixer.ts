import type { PartName } from '../architectures/tensor-parts.ts';
import type { Mixer } from '../checkpoint/mixer-config.ts';
import type { BackendTensor, InferenceBackend } from './inference-backend.ts';
import type { LayerGraphs } from './layer-graphs.ts';
import type { StepWeights } from './layer-weights.ts';
import { mixSequence } from './outside-kernels.ts';
import { isOutside, isProjectionInput, mixerOutput, outsideProjections } from './outside-projections.ts';
import type { SequenceBatch } from './token-blocks.ts';

export interface OutsideRun {
  readonly backend: InferenceBackend;
  readonly graphs: LayerGraphs;
  readonly weights: StepWeights;
  readonly mixer: Mixer;
  readonly batch: SequenceBatch;
  /** [count · length, H] */
  readonly rows: BackendTensor;
}

/** Mixes a batch's rows on the host, one sequence after the other; undefined for attention, which its graph computes. */
export async function runOutside({
  backend,
  graphs,
  weights,
  mixer,
  batch,
  rows,
}: OutsideRun): Promise<BackendTensor | undefined> {
  if (!isOutside(mixer)) return undefined;
  const { epsilon } = graphs.norm;
  const hidden = rows.dims[1] ?? 0;
  const parts = outsideProjections(mixer, hidden);
  const graph = await graphs.projections(mixer);
  const inputs = Object.fromEntries(Object.entries(weights.inputs).filter(([name]) => isProjectionInput(mixer, name)));
  const outputs = parts.map(({ part }) => `${part}_rows`);
  const results: Partial<Record<string, BackendTensor>> = await graph.run({ ...inputs, hidden: rows }, outputs);
  const whole = new Map<PartName, Float32Array<ArrayBuffer>>();
  for (const { part } of parts) {
    const result = results[`${part}_rows`];
    if (result === undefined) continue;
    whole.set(part, await backend.read(result));
    result.dispose();
  }
  const { width } = mixerOutput(mixer, hidden);
  const mixed = new Float32Array(batch.count * batch.length * width);
  for (let sequence = 0; sequence < batch.count; sequence++) {
    const own: Partial<Record<PartName, Float32Array<ArrayBuffer>>> = {};
    for (const { part, rows: size } of parts) {
      own[part] =
        whole.get(part)?.slice(sequence * batch.length * size, (sequence + 1) * batch.length * size) ??
        new Float32Array();
    }
    mixed.set(mixSequence(mixer, own, weights.host, epsilon, hidden), sequence * batch.length * width);
  }
  return backend.upload('float32', mixed, [batch.count * batch.length, width]);
}
