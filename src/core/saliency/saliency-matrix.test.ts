import { describe, expect, it } from 'vitest';
import { eanMean } from './ean-mean.ts';
import { emptyDomainStatistics } from './layer-statistics.ts';
import { reap } from './reap.ts';
import { scoreLayers } from './saliency-matrix.ts';
import { fakeHash, oneLayer } from './statistics.fixture.ts';
import type { CalibrationStatistics } from './statistics-file.ts';

/** Expert 0: 2 tokens of norm sum 8 in the first domain, 6 of sum 6 in the second. */
function twoDomains(): CalibrationStatistics {
  const first = emptyDomainStatistics(2);
  Object.assign(first, { tokens: 2 });
  first.count.set([2, 2]);
  first.normSum.set([8, 2]);
  const second = emptyDomainStatistics(2);
  Object.assign(second, { tokens: 6 });
  second.count.set([6, 6]);
  second.normSum.set([6, 0]);
  const base = oneLayer(first, 2, 5);
  return {
    ...base,
    domains: [...base.domains, { name: 'other', tokens: 6, sequences: 1, hash: fakeHash('b') }],
    layers: [{ layer: 5, experts: 2, topK: 2, domains: [first, second] }],
  };
}

describe('scoreLayers', () => {
  it('adds domains up before it divides', () => {
    const [row] = scoreLayers(twoDomains(), eanMean);
    expect(row?.layer).toBe(5);
    expect([...(row?.scores ?? [])]).toEqual([14 / 8, 2 / 8]);
    expect([...(row?.counts ?? [])]).toEqual([8, 8]);
  });

  it('weighs domains: 3 × the first', () => {
    const [row] = scoreLayers(twoDomains(), eanMean, [3, 1]);
    expect([...(row?.scores ?? [])]).toEqual([30 / 12, 6 / 12]);
  });

  it('leaves a domain of weight 0 out', () => {
    const [row] = scoreLayers(twoDomains(), eanMean, [0, 1]);
    expect([...(row?.scores ?? [])]).toEqual([1, 0]);
  });

  it.each([[[1]], [[1, -1]], [[1, Number.NaN]], [[0, 0]]])('refuses the weights %j', (weights) => {
    expect(() => scoreLayers(twoDomains(), eanMean, weights)).toThrow(
      expect.objectContaining({ family: 'calibration', code: 'domain-weights' }),
    );
  });

  it('names layer and expert of a score that is not finite', () => {
    const statistics = emptyDomainStatistics(2);
    statistics.count.set([1, 1]);
    statistics.gateNormSum.set([1, Number.NaN]);
    expect(() => scoreLayers(oneLayer(statistics, 2, 7), reap)).toThrow(
      expect.objectContaining({ code: 'non-finite-scores', details: { layer: 7, expert: 1 } }),
    );
  });
});
