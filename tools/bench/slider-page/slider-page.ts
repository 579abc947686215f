import type { CheckpointSummary } from '../../../src/core/checkpoint/summary.ts';
import type { CalibrationStatistics } from '../../../src/core/saliency/statistics-file.ts';
import { fitHeatmap } from '../../../src/features/saliency-heatmap/heatmap-geometry.ts';
import { drawPresent } from '../../../src/features/saliency-heatmap/heatmap-picture.ts';
import { calibrationStore } from '../../../src/stores/calibration-store.ts';
import { checkpointStore } from '../../../src/stores/checkpoint-store.ts';
import { currentSelection, currentSummary } from '../../../src/stores/derived.ts';
import { planStore } from '../../../src/stores/plan-store.ts';

const LAYERS = 62;
const EXPERTS = 256;
const TOP_K = 8;
const TOKENS = 100_000;
const MOVES = 300;

function random(): () => number {
  let state = 7;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function fillStores(): void {
  const next = random();
  const model = { architecture: 'minimax_m2', fingerprint: '0'.repeat(64), source: 'bench' };
  const layers = Array.from({ length: LAYERS }, (_, layer) => {
    const count = Float64Array.from({ length: EXPERTS }, () => Math.floor(next() * 6000));
    const normSum = count.map((n) => n * (1 + next() * layer));
    const gateSum = count.map((n) => n * (0.05 + 0.2 * next()));
    const gateNormSum = normSum.map((sum) => sum * (0.05 + 0.2 * next()));
    const maxAbs = count.map(() => 10 * next());
    const domain = { tokens: TOKENS, count, normSum, gateSum, gateNormSum, gateNormSquaredSum: gateNormSum, maxAbs };
    return { layer, experts: EXPERTS, topK: TOP_K, domains: [domain] };
  });
  const domains = [{ name: 'bench', tokens: TOKENS, sequences: 1, hash: '0'.repeat(64) }];
  const statistics: CalibrationStatistics = { model, gate: 'model', domains, layers };
  const summary: CheckpointSummary = {
    label: 'bench',
    architecture: model.architecture,
    architectureLabel: 'bench',
    fingerprint: model.fingerprint,
    layers: LAYERS,
    hiddenSize: 3072,
    vocabularySize: 200_064,
    maxPositions: 4096,
    experts: EXPERTS,
    topK: TOP_K,
    expertWidth: 1536,
    totalParameters: 229e9,
    totalBytes: 230e9,
    tensors: 96_000,
    shards: 130,
    bytesByDtype: [['F8_E4M3', 230e9]],
    moeLayers: layers.map(({ layer }) => ({
      layer,
      experts: EXPERTS,
      topK: TOP_K,
      expertParameters: 14_155_776,
      expertBytes: 14_159_232,
      routerParametersPerExpert: 3073,
      routerBytesPerExpert: 12_292,
    })),
    hasTokenizer: true,
  };
  checkpointStore.setState({ summary, everOpened: true });
  calibrationStore.setState({ status: 'done', statistics, statisticsHash: '0'.repeat(64) });
}

/** Milliseconds of script in each frame of a drag: plan, summary and the whole canvas, drawn at 1300 × 900. */
export async function measure(): Promise<number[]> {
  const canvas = document.querySelector('canvas');
  if (canvas === null) return [];
  const geometry = fitHeatmap(LAYERS, EXPERTS, 1300, 900);
  const theme = { ink: [20, 20, 20], surface: [255, 255, 255], empty: [200, 200, 200] } as const;
  const times: number[] = [];
  for (let move = 0; move < MOVES; move++) {
    await new Promise(requestAnimationFrame);
    const start = performance.now();
    planStore.setState({ percent: Math.abs(((move * 7) % 180) - 90) });
    currentSelection();
    currentSummary();
    drawPresent(canvas, geometry, theme);
    times.push(performance.now() - start);
  }
  return times;
}

fillStores();
Object.assign(globalThis, { measure });
