import { expect, it } from 'vitest';
import { percentOfDrop, sliderTicks } from './slider-ticks.ts';

const down = (from: number, to: number, step = 1): number[] =>
  Array.from({ length: (from - to) / step + 1 }, (_, index) => from - index * step);

it('marks round counts, from all experts down to top-k or nine in ten gone', () => {
  const ticks = sliderTicks(down(32, 4), 8);
  expect(ticks.map(({ keep }) => keep)).toEqual([32, 28, 24, 20, 16, 12, 8, 4]);
  expect(ticks[0]?.place).toBe(0);
  expect(ticks[2]?.place).toBeCloseTo(25 / 90);
  expect(sliderTicks(down(256, 16, 8), 8).every(({ keep }) => keep % 8 === 0)).toBe(true);
  expect(sliderTicks(down(256, 8), 8).at(-1)?.keep).toBe(32);
});

it('gives the per cent at which so many go', () => {
  expect(percentOfDrop(32, 8)).toBe(25);
  expect(percentOfDrop(32, 28)).toBe(88);
  expect(percentOfDrop(100, 29)).toBe(29);
});
