import { expect, it } from 'vitest';
import { moeLayer, select, summaryOf } from '../../core/plan/selection.fixture.ts';
import { planWords } from './plan-words.ts';

const { plan } = select(
  new Map([
    [1, [1, 2, 3, 4]],
    [2, [1, 2, 3, 4]],
  ]),
  { ratio: 0.25 },
);
const opened = { name: 'a.plan.json', plan, notes: [] };

it('says that a plan holds, or which model it waits for', () => {
  expect(planWords(opened, summaryOf([moeLayer(1, 4)]))).toBe(
    'Plan from a.plan.json, 25 %. The slider waits until you discard it.',
  );
  expect(planWords(opened, null)).toBe(
    'Plan from a.plan.json waits for its model: open “tiny” (qwen3_moe, 2 layers of 4 experts).',
  );
});
