import { expect, it } from 'vitest';
import type { LayerPlan } from '../../core/plan/pruning-plan.ts';
import { fateOf } from './fate.ts';

const plan: LayerPlan = {
  layer: 0,
  experts: 4,
  keep: [0, 1, 2],
  drop: [3],
  scores: [4, 3, 2, 1],
  reasons: new Map([[2, 'super-expert']]),
};

it('says why by the score', () => {
  expect(fateOf(plan, 0, 1, 'REAP')).toEqual({
    kept: true,
    why: 'Kept: rank 1 of 4 by REAP; the 3 best of the layer stay.',
  });
  expect(fateOf(plan, 3, 4, 'REAP')).toEqual({
    kept: false,
    why: 'Cut: rank 4 of 4 by REAP; the 1 least of the layer go.',
  });
});

it('says why by another reason, and when nothing goes', () => {
  expect(fateOf(plan, 2, 3, 'REAP').why).toMatch(/^Kept: it is a super expert/);
  expect(fateOf({ ...plan, keep: [0, 1, 2, 3], drop: [], reasons: new Map() }, 1, 2, 'REAP').why).toBe(
    'Kept: at this ratio nothing goes.',
  );
});
