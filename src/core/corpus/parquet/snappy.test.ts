import { expect, it } from 'vitest';
import { decompressSnappy } from './snappy.ts';

const ascii = (text: string): number[] => [...new TextEncoder().encode(text)];

it('copies over what it has just written, whatever the distance', () => {
  const start = 'abcdefgh';
  for (let offset = 1; offset <= 8; offset++) {
    for (let count = 1; count <= 64; count++) {
      const repeated = start.slice(-offset).repeat(64).slice(0, count);
      // A literal of eight bytes, then a copy with an offset of two bytes.
      const block = Uint8Array.of(8 + count, 7 << 2, ...ascii(start), ((count - 1) << 2) | 2, offset, 0);
      expect(new TextDecoder().decode(decompressSnappy(block, 8 + count))).toBe(start + repeated);
    }
  }
});

it('reads long literals and the short form of copies', () => {
  const text = 'x'.repeat(300);
  const block = Uint8Array.of(0xb0, 0x02, 61 << 2, 43, 1, ...ascii(text), 0x01, 4);
  expect(new TextDecoder().decode(decompressSnappy(block, 304))).toBe('x'.repeat(304));
});
