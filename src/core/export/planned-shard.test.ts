import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySource } from '../bytes/memory-source.ts';
import { streamBytes } from './byte-stream.ts';
import { appendRange, PlannedShard, type SourceRange } from './planned-shard.ts';

const bytesOf = (length: number, seed: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + seed) % 256);
const sources = new Map(['a', 'b'].map((file, index) => [file, new MemorySource(file, bytesOf(64, index * 100))]));
const anyRange = fc.record({ file: fc.constantFrom('a', 'b'), offset: fc.nat(40), length: fc.nat(24) });

async function join(header: Uint8Array, ranges: readonly SourceRange[]): Promise<number[]> {
  const parts = [...header];
  for (const { file, offset, length } of ranges) parts.push(...((await sources.get(file)?.read(offset, length)) ?? []));
  return parts;
}

describe('PlannedShard', () => {
  it('reads as the header followed by the ranges, at any offset and in any pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(12),
        fc.array(anyRange, { maxLength: 9 }),
        fc.integer({ min: 1, max: 50 }),
        async (headerLength, ranges, chunkBytes) => {
          const header = bytesOf(headerLength, 3);
          const whole = await join(header, ranges);
          const shard = new PlannedShard('out', header, ranges, sources);
          expect(shard.size).toBe(whole.length);
          const streamed: number[] = [];
          await streamBytes(shard, (chunk) => void streamed.push(...chunk), { chunkBytes });
          expect(streamed).toEqual(whole);
        },
      ),
    );
  });

  it('merges ranges that follow one another', () => {
    const ranges: SourceRange[] = [];
    for (const [file, offset, length] of [
      ['a', 0, 4],
      ['a', 4, 4],
      ['a', 9, 1],
      ['b', 10, 2],
      ['b', 12, 0],
    ] as const)
      appendRange(ranges, { file, offset, length });
    expect(ranges).toEqual([
      { file: 'a', offset: 0, length: 8 },
      { file: 'a', offset: 9, length: 1 },
      { file: 'b', offset: 10, length: 2 },
    ]);
  });

  it('refuses to read past its end', async () => {
    await expect(new PlannedShard('out', bytesOf(4, 0), [], sources).read(2, 3)).rejects.toMatchObject({
      code: 'out-of-range',
    });
  });
});

describe('streamBytes', () => {
  it('stops with the reason of an abort', async () => {
    const stop = new AbortController();
    const source = new MemorySource('a', bytesOf(64, 0));
    const run = streamBytes(source, () => stop.abort(new DOMException('enough', 'AbortError')), {
      signal: stop.signal,
      chunkBytes: 8,
    });
    await expect(run).rejects.toMatchObject({ name: 'AbortError', message: 'enough' });
  });
});
