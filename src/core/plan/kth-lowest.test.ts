import fc from 'fast-check';
import { expect, it } from 'vitest';
import { kthLowest } from './kth-lowest.ts';

it('agrees with a sort, for many equal values too', () => {
  const values = fc.array(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.double({ noNaN: true, min: 0, max: 1 })), {
    minLength: 1,
  });
  fc.assert(
    fc.property(values, fc.nat(), (list, seed) => {
      const k = seed % list.length;
      const padded = Float64Array.from([...list, -5]);
      expect(kthLowest(padded, list.length, k)).toBe(list.toSorted((a, b) => a - b)[k]);
      expect(padded.at(-1)).toBe(-5);
    }),
    { numRuns: 500 },
  );
});
