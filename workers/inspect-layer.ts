import { StudioError } from '../src/core/base/errors.ts';
import { calibrate } from '../src/core/calibration/calibrate.ts';
import type { InferenceBackend } from '../src/core/calibration/inference-backend.ts';
import { RunControl } from '../src/core/calibration/run-control.ts';
import type { Checkpoint } from '../src/core/checkpoint/checkpoint.ts';
import type { LayerTest } from '../src/core/protocol/inspect-protocol.ts';
import { combineDomains, type LayerStatistics } from '../src/core/saliency/layer-statistics.ts';

const SEQUENCES = 2;
const SEQUENCE_LENGTH = 24;

/** Token ids without pattern, the same at every run. */
function someTokens(vocabularySize: number, length: number): Int32Array[] {
  let state = 1;
  return Array.from({ length: SEQUENCES }, () =>
    Int32Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * vocabularySize);
    }),
  );
}

async function firstMoeLayer(checkpoint: Checkpoint, backend: InferenceBackend): Promise<LayerStatistics> {
  const { moeLayers, config, folder } = checkpoint;
  const lastLayer = moeLayers[0];
  if (lastLayer !== undefined) {
    const steps = calibrate({
      checkpoint,
      backend,
      domains: [someTokens(config.vocabularySize, Math.min(SEQUENCE_LENGTH, config.maxPositions))],
      gate: 'model',
      control: new RunControl(),
      lastLayer,
    });
    for await (const statistics of steps) return statistics;
  }
  throw new StudioError('checkpoint', 'no-experts', `By this descriptor, no layer of "${folder.label}" has experts.`, {
    nextStep: 'Correct the line "moeLayers".',
    details: { folder: folder.label },
  });
}

/**
 * Runs a few dozen random tokens up to the first layer with experts: reads the weights of these layers alone.
 * @throws StudioError what the engine says: of the families `checkpoint`, `calibration` (`non-finite`), `backend`, `source`.
 */
export async function testFirstLayer(checkpoint: Checkpoint, backend: InferenceBackend): Promise<LayerTest> {
  const layer = await firstMoeLayer(checkpoint, backend);
  const { tokens, count, gateSum, maxAbs } = combineDomains(layer);
  const gates = gateSum.reduce((sum, value) => sum + value, 0);
  return {
    tensors: checkpoint.tensors.size,
    ignored: [...checkpoint.tensors.values()].filter(({ role }) => role.kind === 'ignored').length,
    layer: layer.layer,
    tokens,
    experts: layer.experts,
    topK: layer.topK,
    expertsUsed: count.filter((uses) => uses > 0).length,
    gateSum: gates / tokens,
    largestOutput: maxAbs.reduce((most, value) => Math.max(most, value), 0),
    backend: backend.about.description,
  };
}
