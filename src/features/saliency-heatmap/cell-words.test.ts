import { expect, it } from 'vitest';
import type { LayerPlan } from '../../core/plan/pruning-plan.ts';
import { moeLayer } from '../../core/plan/selection.fixture.ts';
import { cellWords } from './cell-words.ts';

const layer = moeLayer(3, 4);
const metric = { label: 'REAP' };
const plan: LayerPlan = { layer: 3, experts: 4, keep: [1, 2, 3], drop: [0], scores: [], reasons: new Map() };
const scores = Float64Array.of(1, 2, 3, 4);

it.each([
  [
    0,
    { layer: 3, scores, counts: Float64Array.of(7, 8, 9, 10) },
    plan,
    false,
    'REAP 1.000, rank 4 of 4, 7 tokens, cut',
  ],
  [3, { layer: 3, scores, counts: null }, plan, true, 'REAP 4.000, rank 1 of 4, kept'],
  [1, { layer: 3, scores, counts: null }, undefined, false, 'REAP 2.000, rank 3 of 4'],
  [0, undefined, plan, false, 'not measured yet'],
  [0, undefined, plan, true, 'cut by the plan, no score'],
  [1, undefined, plan, true, 'kept by the plan, no score'],
])('expert %d: what is known of it and no more', (expert, found, chosen, isHeld, words) => {
  expect(cellWords({ layer, expert, metric, scores: found, plan: chosen, isHeld })).toBe(
    `Layer 3, expert ${expert}: ${words}`,
  );
});
