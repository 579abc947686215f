import { describe, expect, it } from 'vitest';
import { emptyDomainStatistics } from './layer-statistics.ts';
import { defaultMetric, saliencyMetrics } from './registry.ts';
import { FOUR_TOKENS, observe, sumOf } from './statistics.fixture.ts';

const logits = FOUR_TOKENS.logits.slice(0, 3);
const outputs = FOUR_TOKENS.outputs.slice(0, 3);

/** Score by each metric, worked out by hand for the three real tokens. */
const RENORMALISED: ReadonlyMap<string, readonly number[]> = new Map([
  ['frequency', [2, 2, 2, 0]],
  ['ean-sum', [15, 15, 24, 0]],
  ['ean-mean', [7.5, 7.5, 12, 0]],
  ['weighted-frequency', [1.0, 1.149738, 0.850262, 0]],
  ['weighted-ean-sum', [6.344707, 11.988245, 7.14386, 0]],
  ['reap', [3.172354, 5.994122, 3.57193, 0]],
  ['max-activation', [8, 12, 15, 0]],
]);

const PLAIN: ReadonlyMap<string, readonly number[]> = new Map([
  ['weighted-frequency', [0.874163, 1.075907, 0.739431, 0]],
  ['reap', [2.76103, 5.690542, 3.155756, 0]],
]);

function expectScores(id: string, expected: readonly number[], renormalise: boolean) {
  const scores = saliencyMetrics.get(id)?.score(observe(logits, outputs, renormalise)) ?? new Float64Array();
  expect(scores).toHaveLength(expected.length);
  for (const [expert, value] of expected.entries()) expect(scores[expert]).toBeCloseTo(value, 5);
}

describe('saliency metrics', () => {
  it('covers every row of the registry', () => {
    expect([...RENORMALISED.keys()].sort()).toEqual([...saliencyMetrics.ids()].sort());
    expect(defaultMetric.id).toBe('reap');
  });

  it.each([...RENORMALISED])('%s with renormalised gates', (id, expected) => expectScores(id, expected, true));

  it.each([...PLAIN])('%s with plain softmax gates', (id, expected) => expectScores(id, expected, false));

  it('scores 0 for experts without a token, whatever the metric', () => {
    for (const metric of saliencyMetrics.all()) {
      expect([...metric.score(emptyDomainStatistics(3))]).toEqual([0, 0, 0]);
    }
  });

  it('leaves the statistics untouched when a caller changes its scores', () => {
    for (const metric of saliencyMetrics.all()) {
      const statistics = observe(logits, outputs, true);
      const before = structuredClone(statistics);
      metric.score(statistics).fill(-1);
      expect(statistics).toEqual(before);
    }
  });

  it('differs by orders when padding is counted', () => {
    const reap = defaultMetric.score(observe(FOUR_TOKENS.logits, FOUR_TOKENS.outputs, true));
    expect(reap[0]).toBeGreaterThan(20);
    expect(reap[1]).toBeGreaterThan(10);
  });

  it('is the same when the tokens come one at a time', () => {
    const parts = logits.map((row, token) => observe([row], outputs.slice(token, token + 1), true));
    const whole = observe(logits, outputs, true);
    const merged = parts.reduce(sumOf);
    for (const metric of saliencyMetrics.all()) {
      const expected = metric.score(whole);
      for (const [expert, score] of metric.score(merged).entries())
        expect(score).toBeCloseTo(expected[expert] ?? NaN, 12);
    }
  });
});
