import type { CheckpointSummary, MoeLayerSummary } from '../checkpoint/summary.ts';
import type { ExpertGroups } from '../routing/router.ts';
import type { LayerScores } from '../saliency/saliency-matrix.ts';
import type { PruningPlan } from './pruning-plan.ts';
import { type Selection, type SelectionInput, selectExperts } from './selection.ts';

const FINGERPRINT = 'f'.repeat(64);

/** A layer of small round figures: an expert of 100 parameters and 200 bytes, a router row of 10 and 20. */
export function moeLayer(layer: number, experts: number, topK = 2): MoeLayerSummary {
  return {
    layer,
    experts,
    topK,
    expertParameters: 100,
    expertBytes: 200,
    routerParametersPerExpert: 10,
    routerBytesPerExpert: 20,
  };
}

/** The same with a router that chooses among groups. */
export function groupedLayer(layer: number, experts: number, groups: ExpertGroups, topK = 2): MoeLayerSummary {
  return { ...moeLayer(layer, experts, topK), groups };
}

export function scoresOf(rows: ReadonlyMap<number, readonly number[]>): LayerScores[] {
  return [...rows].map(([layer, scores]) => ({
    layer,
    scores: Float64Array.from(scores),
    counts: new Float64Array(scores.length),
  }));
}

/** Selects from scores by layer; the model is made to fit them. */
export function select(
  rows: ReadonlyMap<number, readonly number[]>,
  size: SelectionInput['size'],
  constraints: SelectionInput['constraints'] = {},
  topK = 1,
): Selection {
  return selectExperts({
    model: { architecture: 'qwen3_moe', fingerprint: FINGERPRINT, source: 'tiny' },
    layers: [...rows].map(([layer, scores]) => moeLayer(layer, scores.length, topK)),
    scores: scoresOf(rows),
    metric: 'reap',
    size,
    constraints,
    calibration: { domains: [], gate: 'model', statisticsHash: null },
  });
}

/** The same for layers whose router chooses among groups. */
export function selectGrouped(
  rows: ReadonlyMap<number, readonly number[]>,
  groups: ExpertGroups,
  size: SelectionInput['size'],
  constraints: SelectionInput['constraints'] = {},
): Selection {
  return selectExperts({
    model: { architecture: 'deepseek_v3', fingerprint: FINGERPRINT, source: 'tiny' },
    layers: [...rows].map(([layer, scores]) => groupedLayer(layer, scores.length, groups)),
    scores: scoresOf(rows),
    metric: 'reap',
    size,
    constraints,
    calibration: { domains: [], gate: 'model', statisticsHash: null },
  });
}

export function dropped(plan: PruningPlan): number[][] {
  return plan.layers.map(({ drop }) => [...drop]);
}

/** A checkpoint whose layers with experts are given; 5000 parameters of 2 bytes besides them. */
export function summaryOf(moeLayers: readonly MoeLayerSummary[]): CheckpointSummary {
  const parameters = moeLayers.reduce((sum, layer) => sum + layer.experts * 110, 5000);
  return {
    label: 'tiny',
    architecture: 'qwen3_moe',
    architectureLabel: 'Qwen3-MoE',
    fingerprint: FINGERPRINT,
    layers: moeLayers.length,
    hiddenSize: 10,
    vocabularySize: 100,
    maxPositions: 64,
    experts: moeLayers[0]?.experts ?? 0,
    topK: moeLayers[0]?.topK ?? 0,
    expertWidth: 4,
    totalParameters: parameters,
    totalBytes: parameters * 2,
    tensors: 1,
    shards: 1,
    bytesByDtype: [['BF16', parameters * 2]],
    moeLayers,
    hasTokenizer: false,
  };
}
