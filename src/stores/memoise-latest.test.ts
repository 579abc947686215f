import { expect, it } from 'vitest';
import { memoiseLatest } from './memoise-latest.ts';

it('computes again only for other arguments', () => {
  let calls = 0;
  const box = memoiseLatest((a: object, b: number) => {
    calls++;
    return { a, b };
  });
  const one = {};
  const first = box(one, 1);
  expect(box(one, 1)).toBe(first);
  expect(calls).toBe(1);
  expect(box(one, 2)).not.toBe(first);
  expect(box({}, 2)).toEqual({ a: {}, b: 2 });
  expect(calls).toBe(3);
});
