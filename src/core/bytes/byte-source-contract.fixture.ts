import { describe, expect, test } from 'vitest';
import type { ByteSource } from './byte-source.ts';

/** 300,001 bytes that repeat at no power of two. */
export function sampleBytes(size = 300_001): Uint8Array<ArrayBuffer> {
  return new Uint8Array(size).map((_, index) => (index * 7 + (index >> 8)) % 251);
}

/** What every ByteSource does. `make` opens a source over a file of that name with those bytes. */
export function describeByteSource(
  label: string,
  make: (name: string, bytes: Uint8Array<ArrayBuffer>) => Promise<ByteSource>,
): void {
  describe(`${label} is a ByteSource`, () => {
    const bytes = sampleBytes();
    const name = 'model-00001-of-00002.safetensors';

    test('knows its name and size before anything is read', async () => {
      const source = await make(name, bytes);
      expect([source.name, source.size]).toEqual([name, bytes.byteLength]);
    });

    test.each([
      [0, 1],
      [0, 300_001],
      [123_457, 70_001],
      [300_000, 1],
      [300_001, 0],
      [5, 0],
    ])('reads exactly the bytes from %d, %d of them', async (offset, length) => {
      const read = await (await make(name, bytes)).read(offset, length);
      expect(read).toBeInstanceOf(Uint8Array);
      expect(Buffer.compare(read, bytes.subarray(offset, offset + length))).toBe(0);
    });

    test('gives bytes that are the caller’s own', async () => {
      const source = await make(name, bytes);
      (await source.read(0, 100)).fill(255);
      expect(Buffer.compare(await source.read(0, 100), bytes.subarray(0, 100))).toBe(0);
    });

    test('reads several ranges at once', async () => {
      const source = await make(name, bytes);
      const offsets = [250_000, 0, 100_000, 7];
      const reads = await Promise.all(offsets.map((offset) => source.read(offset, 1000)));
      for (const [index, offset] of offsets.entries()) {
        expect(Buffer.compare(reads[index] ?? new Uint8Array(), bytes.subarray(offset, offset + 1000))).toBe(0);
      }
    });

    test.each([
      [-1, 1],
      [0, 300_002],
      [300_001, 1],
      [0, -1],
      [0.5, 1],
      [0, Number.NaN],
      [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ])('refuses the range from %d, %d bytes', async (offset, length) => {
      await expect((await make(name, bytes)).read(offset, length)).rejects.toMatchObject({
        family: 'source',
        code: 'out-of-range',
        details: { file: name, size: bytes.byteLength },
      });
    });

    test('takes an empty file', async () => {
      const source = await make('empty.txt', new Uint8Array(0));
      expect(source.size).toBe(0);
      expect(await source.read(0, 0)).toHaveLength(0);
      await expect(source.read(0, 1)).rejects.toMatchObject({ code: 'out-of-range' });
    });

    test('does not read when it was told to stop', async () => {
      const source = await make(name, bytes);
      const reason = new Error('enough');
      await expect(source.read(0, 10, AbortSignal.abort(reason))).rejects.toBe(reason);
    });
  });
}
