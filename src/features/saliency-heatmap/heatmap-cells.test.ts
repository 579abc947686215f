import { describe, expect, it } from 'vitest';
import type { MoeLayerSummary } from '../../core/checkpoint/summary.ts';
import type { PruningPlan } from '../../core/plan/pruning-plan.ts';
import { ABSENT, DROPPED, measuredCells, plannedCells, SPARSE, UNMEASURED } from './heatmap-cells.ts';

const layer = (index: number, experts: number): MoeLayerSummary => ({
  layer: index,
  experts,
  topK: 1,
  expertParameters: 1,
  expertBytes: 2,
  routerParametersPerExpert: 1,
  routerBytesPerExpert: 2,
});

const plan = (...layers: { layer: number; drop: number[] }[]): PruningPlan => ({
  model: { architecture: 'a', fingerprint: 'f', source: 's' },
  metric: 'reap',
  policy: 'uniform',
  ratio: 0.5,
  calibration: { domains: [], gate: 'model', statisticsHash: null },
  nextToken: 'prune',
  layers: layers.map(({ layer: index, drop }) => ({
    layer: index,
    experts: 3,
    keep: [],
    drop,
    scores: [],
    reasons: new Map(),
  })),
});

// Layers 2 and 5 of the model have experts; only 5 is measured.
const layers = [layer(2, 2), layer(5, 3)];
const scores = [{ layer: 5, scores: Float64Array.of(0, 1, 2), counts: Float64Array.of(49, 50, 900) }];

describe('heatmap cells', () => {
  it('marks unmeasured layers, missing experts and few tokens', () => {
    expect([...measuredCells(layers, scores, 'layer')]).toEqual([UNMEASURED, UNMEASURED, ABSENT, 0 | SPARSE, 128, 255]);
  });

  it("marks what the plan drops by the model's own layer index, and only where measured", () => {
    const cells = measuredCells(layers, scores, 'layer');
    const marked = plannedCells(cells, layers, plan({ layer: 2, drop: [0] }, { layer: 5, drop: [0, 2] }));
    expect([...marked]).toEqual([UNMEASURED, UNMEASURED, ABSENT, SPARSE | DROPPED, 128, 255 | DROPPED]);
    expect(cells[3]).toBe(SPARSE);
  });

  it('marks nothing without a plan', () => {
    const cells = measuredCells(layers, scores, 'layer');
    expect([...plannedCells(cells, layers, null)]).toEqual([...cells]);
  });

  it('marks a final plan everywhere, and calls nothing sparse where no tokens were counted', () => {
    const planned = [{ layer: 5, scores: Float64Array.of(0, 1, 2), counts: null }];
    const cells = plannedCells(
      measuredCells(layers, planned, 'layer'),
      layers,
      plan({ layer: 2, drop: [1] }, { layer: 5, drop: [0] }),
      true,
    );
    expect([...cells]).toEqual([UNMEASURED, UNMEASURED | DROPPED, ABSENT, DROPPED, 128, 255]);
  });
});
