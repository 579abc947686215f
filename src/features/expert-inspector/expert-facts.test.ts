import { expect, it } from 'vitest';
import type { DomainStatistics, LayerStatistics } from '../../core/saliency/layer-statistics.ts';
import { domainParts, expertFacts } from './expert-facts.ts';

const domain = (tokens: number, count: number[], gateNormSum: number[]): DomainStatistics => ({
  tokens,
  count: Float64Array.from(count),
  normSum: Float64Array.from(gateNormSum, (sum) => sum * 4),
  gateSum: Float64Array.from(count, (n) => n / 2),
  gateNormSum: Float64Array.from(gateNormSum),
  gateNormSquaredSum: new Float64Array(count.length),
  maxAbs: Float64Array.from(count, (n) => n / 10),
});

const layer: LayerStatistics = {
  layer: 3,
  experts: 2,
  topK: 1,
  domains: [domain(40, [10, 30], [5, 60]), domain(60, [0, 60], [0, 60])],
};

it('joins the domains before it divides', () => {
  expect(expertFacts(layer, 1)).toEqual({
    tokens: 90,
    share: 0.9,
    evenShare: 0.5,
    meanGate: 0.5,
    meanNorm: 480 / 90,
    meanGateNorm: 120 / 90,
    largest: 6,
  });
});

it('has no mean where a domain never chose the expert', () => {
  expect(domainParts(layer, 0)).toEqual([
    { tokens: 10, share: 0.25, meanGateNorm: 0.5 },
    { tokens: 0, share: 0, meanGateNorm: null },
  ]);
});
