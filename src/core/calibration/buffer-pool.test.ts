import { expect, test } from 'vitest';
import { BufferPool } from './buffer-pool.ts';

test('gives the smallest buffer that fits, none that is more than twice as large, and each once', () => {
  const pool = new BufferPool();
  const [small, middle, large] = [100, 150, 1000].map((size) => new ArrayBuffer(size));
  for (const buffer of [large, middle, small]) if (buffer !== undefined) pool.give(buffer);
  expect(pool.take(101)).toBe(middle);
  expect(pool.take(101)).toBeUndefined();
  expect(pool.take(500)).toBe(large);
  expect(pool.take(40)).toBeUndefined();
  expect(pool.take(50)).toBe(small);
});

test('keeps no more than it may, the latest first', () => {
  const pool = new BufferPool(250);
  const buffers = [100, 101, 102].map((size) => new ArrayBuffer(size));
  for (const buffer of buffers) pool.give(buffer);
  expect(pool.take(100)).toBe(buffers[1]);
  expect(pool.take(100)).toBe(buffers[2]);
  expect(pool.take(100)).toBeUndefined();
  pool.give(new ArrayBuffer(251));
  expect(pool.take(251)).toBeUndefined();
});
