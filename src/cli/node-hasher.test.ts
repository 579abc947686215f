import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { NodeHashing } from './node-hasher.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const hashing = new NodeHashing();
afterAll(() => hashing.close());

function sample(length: number, seed: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + seed) % 251);
}

/** Hashes `bytes` as two tensors behind 7 bytes of header, in pieces whose memory is used again at once. */
async function hashed(bytes: Uint8Array, pieceBytes: number) {
  const half = bytes.byteLength >> 1;
  const hasher = await hashing.openHasher([
    { name: 'a', offset: 7, byteLength: half - 7 },
    { name: 'b', offset: half, byteLength: bytes.byteLength - half },
  ]);
  const memory = new Uint8Array(pieceBytes);
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) {
    const piece = memory.subarray(0, Math.min(pieceBytes, bytes.byteLength - at));
    piece.set(bytes.subarray(at, at + piece.byteLength));
    await hasher.update(piece);
    piece.fill(0);
  }
  return hasher.digest();
}

describe('NodeHashing', () => {
  it.each([100_000, 4096, 999])(
    'gives the hashes of a file and its tensors, in pieces of %d bytes',
    async (pieceBytes) => {
      for (const length of [100, 4096, 50_001]) {
        const bytes = sample(length, pieceBytes);
        const half = length >> 1;
        expect(await hashed(bytes, pieceBytes)).toEqual({
          sha256: sha256(bytes),
          tensors: new Map([
            ['a', sha256(bytes.subarray(7, half))],
            ['b', sha256(bytes.subarray(half))],
          ]),
        });
      }
    },
  );

  it('begins anew after a file that was given up', async () => {
    const given = await hashing.openHasher([]);
    for (let piece = 0; piece < 5; piece++) await given.update(sample(2000, piece));
    const bytes = sample(9000, 3);
    expect((await hashed(bytes, 1000)).sha256).toBe(sha256(bytes));
  });

  it('says so when its thread has ended', async () => {
    const ended = new NodeHashing();
    const hasher = await ended.openHasher([]);
    await ended.close();
    await expect(hasher.digest()).rejects.toThrow('thread');
  });
});
