import { expect, test } from 'vitest';
import { reproduce, TOLERANCE } from './reproduce.ts';

test('two domains of the demo give the figures that transformers gave', async () => {
  const { saliency, wrongSets, loss } = await reproduce(['python', 'arithmetic'], false);
  expect(saliency).toBeLessThan(TOLERANCE);
  expect(wrongSets).toBe(0);
  expect(loss).toBeLessThan(TOLERANCE);
}, 120_000);
