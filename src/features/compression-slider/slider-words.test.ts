import { expect, it } from 'vitest';
import type { PlanSummary } from '../../core/plan/plan-summary.ts';
import { sliderWords } from './slider-words.ts';

const summary: PlanSummary = {
  expertsPerLayer: { before: { min: 32, max: 32 }, after: { min: 24, max: 24 } },
  expertsDropped: 64,
  parameters: { before: 14, after: 11 },
  bytes: { before: 29_500_000, after: 23_400_000 },
  activeParametersPerToken: { before: 3, after: 3 },
  saliencyKept: 0.9,
};

it('says ratio, experts and bytes', () => {
  expect(sliderWords(25, summary, null)).toBe('25 %, 24 of 32 experts a layer, 23.4 MB');
  expect(sliderWords(25, null, null)).toBe('25 %');
});

it('says why a ratio is refused', () => {
  const error = { family: 'plan', code: 'fewer-than-top-k', message: 'Too few.', nextStep: '', details: {} } as const;
  expect(sliderWords(90, null, error)).toBe('90 %, not possible: Too few.');
});
