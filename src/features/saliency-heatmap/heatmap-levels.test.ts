import { describe, expect, it } from 'vitest';
import { levelsOf, ranks, span } from './heatmap-levels.ts';

const row = (layer: number, ...scores: number[]) => ({
  layer,
  scores: Float64Array.from(scores),
  counts: new Float64Array(scores.length),
});

describe('heatmap levels', () => {
  const rows = [row(0, 0, 1, 2), row(1, 10, 20, 10)];

  it('stretches each layer by itself', () => {
    expect(levelsOf(rows, 'layer').map((levels) => [...levels])).toEqual([
      [0, 128, 255],
      [0, 255, 0],
    ]);
  });

  it('stretches all layers together', () => {
    expect(levelsOf(rows, 'model').map((levels) => [...levels])).toEqual([
      [0, 13, 26],
      [128, 255, 128],
    ]);
  });

  it('spreads ranks evenly and lets equals share', () => {
    expect(levelsOf(rows, 'rank').map((levels) => [...levels])).toEqual([
      [0, 128, 255],
      [128, 255, 128],
    ]);
    expect([...ranks(Float64Array.of(0.5, 2, 0.5, 1))]).toEqual([3, 1, 3, 2]);
  });

  it('gives a flat layer the lowest level in place of a division by zero', () => {
    expect([...(levelsOf([row(0, 3, 3)], 'layer')[0] ?? [])]).toEqual([0, 0]);
    expect(span([])).toEqual([0, 0]);
  });
});
