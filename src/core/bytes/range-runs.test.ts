import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutRun, joinNeighbours, scatter, type WaitingRead } from './range-runs.ts';

const read = (offset: number, length: number, signal?: AbortSignal): WaitingRead => ({
  offset,
  bytes: new Uint8Array(length),
  signal,
});
const edges = (reads: readonly WaitingRead[]): number[][] =>
  joinNeighbours(reads).map(({ first, end }) => [first, end]);

describe('reads that wait together', () => {
  test('are one run where they touch or overlap, whatever their order', () => {
    expect(edges([read(20, 10), read(0, 10), read(10, 10), read(25, 10)])).toEqual([[0, 35]]);
  });

  test('stay apart over a gap of one byte', () => {
    expect(edges([read(0, 10), read(11, 10)])).toEqual([
      [0, 10],
      [11, 21],
    ]);
  });

  test('stay apart when one may be stopped without the other', () => {
    const { signal } = new AbortController();
    expect(edges([read(0, 10), read(10, 10, signal), read(20, 10)])).toHaveLength(3);
  });
});

test('a long run is cut into pieces of nearly equal length', () => {
  expect(cutRun(5, 25, 20)).toEqual([{ first: 5, end: 25 }]);
  expect(cutRun(5, 26, 20)).toEqual([
    { first: 5, end: 15 },
    { first: 15, end: 26 },
  ]);
});

test('joined, cut and scattered again, every read holds its own bytes, and no byte outside is asked for', () => {
  const ranges = fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 60 })), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(ranges, fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9 }), (list, most, chunk) => {
      const file = Uint8Array.from({ length: 260 }, (_, index) => index % 256);
      const reads = list.map(([offset, length]) => read(offset, length));
      const wanted = new Set(reads.flatMap(({ offset, bytes }) => [...bytes.keys()].map((index) => offset + index)));
      let asked = 0;
      for (const run of joinNeighbours(reads)) {
        for (const piece of cutRun(run.first, run.end, most)) {
          expect(piece.end - piece.first).toBeLessThanOrEqual(most);
          asked += piece.end - piece.first;
          for (let at = piece.first; at < piece.end; at += chunk) {
            scatter(run.reads, at, file.subarray(at, Math.min(at + chunk, piece.end)));
          }
        }
      }
      expect(asked).toBe(wanted.size);
      for (const { offset, bytes } of reads) {
        expect([...bytes]).toEqual([...file.subarray(offset, offset + bytes.byteLength)]);
      }
    }),
  );
});
