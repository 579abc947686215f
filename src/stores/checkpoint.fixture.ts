import type { CheckpointSummary } from '../core/checkpoint/summary.ts';
import type { LayerStatistics } from '../core/saliency/layer-statistics.ts';
import type { CalibrationStatistics } from '../core/saliency/statistics-file.ts';

const EXPERTS = 4;
const TOP_K = 2;

/** A model of two layers of four experts, top-2, for the tests of the stores. */
export const testSummary: CheckpointSummary = {
  label: 'tiny',
  architecture: 'qwen3-moe',
  architectureLabel: 'Qwen3-MoE',
  fingerprint: 'f',
  layers: 2,
  hiddenSize: 8,
  vocabularySize: 16,
  maxPositions: 64,
  experts: EXPERTS,
  topK: TOP_K,
  expertWidth: 4,
  totalParameters: 2000,
  totalBytes: 4000,
  tensors: 30,
  shards: 1,
  bytesByDtype: [['BF16', 4000]],
  moeLayers: [0, 1].map((layer) => ({
    layer,
    experts: EXPERTS,
    topK: TOP_K,
    expertParameters: 100,
    expertBytes: 200,
    routerParametersPerExpert: 8,
    routerBytesPerExpert: 16,
  })),
  hasTokenizer: true,
};

/** One layer whose REAP scores are `scores`: 60 tokens to each expert. */
export function testLayer(layer: number, scores: readonly number[]): LayerStatistics {
  const count = Float64Array.from(scores, () => 60);
  const sums = Float64Array.from(scores, (score) => score * 60);
  return {
    layer,
    experts: EXPERTS,
    topK: TOP_K,
    domains: [
      {
        tokens: 120,
        count,
        normSum: sums,
        gateSum: count,
        gateNormSum: sums,
        gateNormSquaredSum: sums,
        maxAbs: Float64Array.from(scores),
      },
    ],
  };
}

export function testStatistics(...layers: readonly LayerStatistics[]): CalibrationStatistics {
  return {
    model: { architecture: 'qwen3-moe', fingerprint: 'f', source: 'tiny' },
    gate: 'model',
    domains: [{ name: 'python', tokens: 120, sequences: 1, hash: 'h' }],
    layers,
  };
}
