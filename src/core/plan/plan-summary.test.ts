import { describe, expect, it } from 'vitest';
import { summarisePlan } from './plan-summary.ts';
import { moeLayer, select, summaryOf } from './selection.fixture.ts';

describe('summarisePlan', () => {
  const rows = new Map([
    [0, [1, 2, 3, 4]],
    [2, [100, 0, 300, 0]],
  ]);
  const layers = [moeLayer(0, 4), moeLayer(2, 4)];

  it('counts experts, parameters and bytes, routers included', () => {
    const { plan } = select(rows, { ratio: 0.25 }, {}, 2);
    // 5000 + 8 experts × 110; two experts of 110 parameters and 220 bytes go.
    expect(summarisePlan(summaryOf(layers), plan)).toEqual({
      expertsPerLayer: { before: { min: 4, max: 4 }, after: { min: 3, max: 3 } },
      expertsDropped: 2,
      parameters: { before: 5880, after: 5660 },
      bytes: { before: 11760, after: 11320 },
      // Without the 2 × 2 experts of 100 that a token misses, then without the 2 × 1.
      activeParametersPerToken: { before: 5480, after: 5460 },
      // 9 of 10 in one layer and all of it in the other: a large layer weighs no more than a small one.
      saliencyKept: (9 / 10 + 1) / 2,
    });
  });

  it('tells the leanest layer from the fullest', () => {
    const { plan } = select(rows, { ratio: 0.5 }, { excludedLayers: new Set([2]) }, 2);
    const { expertsPerLayer, expertsDropped } = summarisePlan(summaryOf(layers), plan);
    expect(expertsPerLayer).toEqual({ before: { min: 4, max: 4 }, after: { min: 2, max: 4 } });
    expect(expertsDropped).toBe(2);
  });

  it('changes nothing at ratio 0', () => {
    const { plan } = select(rows, { ratio: 0 });
    const { parameters, bytes, saliencyKept } = summarisePlan(summaryOf(layers), plan);
    expect(parameters.after).toBe(parameters.before);
    expect(bytes.after).toBe(bytes.before);
    expect(saliencyKept).toBe(1);
  });

  it('knows no saliency where there are no scores, and leaves silent layers out', () => {
    const { plan } = select(
      new Map([
        [0, [0, 0, 0, 0]],
        [2, [1, 1, 1, 1]],
      ]),
      { ratio: 0.25 },
    );
    expect(summarisePlan(summaryOf(layers), plan).saliencyKept).toBe(0.75);
    const bare = { ...plan, layers: plan.layers.map((layer) => ({ ...layer, scores: [] })) };
    expect(summarisePlan(summaryOf(layers), bare).saliencyKept).toBeNull();
  });
});
