import { expect, it } from 'vitest';
import { moveInGrid } from './grid-navigation.ts';

// Eight layers; the last has 4 experts, the others 8.
const experts = (row: number) => (row === 7 ? 4 : 8);

it.each([
  ['ArrowRight', false, 0, 7, 0, 7],
  ['ArrowLeft', false, 0, 7, 0, 6],
  ['ArrowDown', false, 6, 6, 7, 3],
  ['ArrowUp', false, 0, 2, 0, 2],
  ['End', false, 2, 1, 2, 7],
  ['Home', false, 2, 5, 2, 0],
  ['End', true, 2, 1, 7, 3],
  ['Home', true, 2, 5, 0, 0],
  ['PageDown', false, 1, 1, 3, 1],
  ['PageUp', false, 1, 1, 0, 1],
])('%s (control %s) leads from %d, %d to %d, %d', (key, control, row, expert, toRow, toExpert) => {
  expect(moveInGrid({ row, expert }, key, control, 8, experts)).toEqual({ row: toRow, expert: toExpert });
});

it('leaves other keys alone', () => {
  expect(moveInGrid({ row: 0, expert: 0 }, 'a', false, 8, experts)).toBeNull();
});
