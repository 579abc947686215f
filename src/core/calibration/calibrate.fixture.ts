import { nodeBackend } from '../../cli/node-backend.ts';
import { TINY_SHAPE } from '../checkpoint/tiny-checkpoint.fixture.ts';
import type { LayerStatistics } from '../saliency/layer-statistics.ts';
import { type CalibrationOptions, calibrate } from './calibrate.ts';
import type { BackendLimits, InferenceBackend } from './inference-backend.ts';
import { RunControl } from './run-control.ts';

/** Sequences of uneven lengths in two domains. */
export const DOMAINS = [
  [9, 17, 1, 17],
  [33, 4],
].map((lengths, domain) =>
  lengths.map((length, index) =>
    Int32Array.from({ length }, (_, i) => (i * i * 7 + i * 13 + index * 29 + domain * 41) % TINY_SHAPE.vocabularySize),
  ),
);

/** What a journal of a run over DOMAINS says of itself. */
export const RUN = {
  model: { architecture: 'qwen3_moe', fingerprint: '0'.repeat(64), source: 'tiny' },
  gate: 'model' as const,
  domains: DOMAINS.map((sequences, i) => ({
    name: `d${i}`,
    tokens: sequences.reduce((sum, ids) => sum + ids.length, 0),
    sequences: sequences.length,
    hash: String(i).repeat(64),
  })),
};

export function withLimits(limits: Partial<BackendLimits>): InferenceBackend {
  const backend = nodeBackend(1);
  Object.defineProperty(backend, 'limits', { value: { ...backend.limits, ...limits } });
  return backend;
}

export async function collect(
  options: Partial<CalibrationOptions> & Pick<CalibrationOptions, 'checkpoint'>,
): Promise<LayerStatistics[]> {
  const layers: LayerStatistics[] = [];
  for await (const layer of calibrate({
    backend: nodeBackend(1),
    domains: DOMAINS,
    gate: 'model',
    control: new RunControl(),
    ...options,
  }))
    layers.push(layer);
  return layers;
}
