import { expect, it } from 'vitest';
import { barPath, ranking } from './ranking.ts';

it('ranks by score and marks what goes', () => {
  expect(ranking(Float64Array.of(1, 3, 3, 0), [3, 0])).toEqual([
    { expert: 1, score: 3, dropped: false },
    { expert: 2, score: 3, dropped: false },
    { expert: 0, score: 1, dropped: true },
    { expert: 3, score: 0, dropped: true },
  ]);
});

it('draws bars only for the chosen, as long as their scores', () => {
  const bars = ranking(Float64Array.of(2, 1), [1]);
  expect(barPath(bars, 10, (bar) => bar.dropped)).toBe('M1.1,10v-5.00h0.80V10z');
  expect(barPath(ranking(Float64Array.of(0, 0), []), 10, () => true)).toBe('');
});
