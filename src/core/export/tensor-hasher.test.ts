import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTensorHasher } from './tensor-hasher.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('openTensorHasher', () => {
  it('gives the hash of the file and of each tensor, however the bytes are cut', async () => {
    const model = fc.record({
      start: fc.integer({ min: 1, max: 9 }),
      lengths: fc.array(fc.nat(20), { maxLength: 8 }),
      cuts: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 30 }),
      seed: fc.nat(255),
    });
    await fc.assert(
      fc.asyncProperty(model, async ({ start, lengths, cuts, seed }) => {
        let offset = start;
        const extents = lengths.map((byteLength, index) => {
          const extent = { name: `t${index}`, offset, byteLength };
          offset += byteLength;
          return extent;
        });
        const bytes = Uint8Array.from({ length: offset }, (_, index) => (index * 31 + seed) % 256);
        const hasher = await openTensorHasher(extents);
        for (let at = 0, cut = 0; at < bytes.length; cut++) {
          const length = cuts[cut % cuts.length] ?? 1;
          await hasher.update(bytes.subarray(at, at + length));
          at += length;
        }
        const { sha256: file, tensors } = await hasher.digest();
        expect(file).toBe(sha256(bytes));
        expect([...tensors]).toEqual(
          extents.map((e) => [e.name, sha256(bytes.subarray(e.offset, e.offset + e.byteLength))]),
        );
      }),
    );
  });
});
