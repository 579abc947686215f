import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { decodeStacks, type WeightStack } from '../core/calibration/weight-stack.ts';
import { startConverter } from './start-converter.ts';

/** BF16 weights in one buffer, as one read gives them. */
function stacks(numbers: number, count: number): WeightStack[] {
  const buffer = new Uint16Array(numbers * count).map((_, at) => (at * 7) & 0x7eff).buffer;
  const weights = Array.from({ length: count }, (_, index) => ({
    name: `weight ${index}`,
    shape: [numbers / 256, 256],
    scheme: 'plain' as const,
    parts: {
      weight: {
        name: 'weight',
        dtype: 'BF16' as const,
        shape: [numbers / 256, 256],
        bytes: new Uint8Array(buffer, index * numbers * 2, numbers * 2),
      },
    },
    block: undefined,
    bits: 16,
    zeroPointsAsStored: false,
  }));
  return [{ weights }, { weights: weights.slice(1) }];
}

test('a thread decodes to the same bits, takes the bytes, and survives what it cannot decode', {
  timeout: 60_000,
}, async () => {
  const converter = await startConverter();
  const given = stacks(65_536, 3);
  const expected = decodeStacks(given);
  const { arrays } = await converter.convert(given);
  expect(arrays.map(({ length }) => length)).toEqual([3 * 65_536, 2 * 65_536]);
  const bytesOf = (all: readonly Float32Array<ArrayBuffer>[]): Buffer =>
    Buffer.concat(all.map(({ buffer }) => new Uint8Array(buffer)));
  // Bit for bit; element by element it would take seconds.
  expect(bytesOf(arrays).equals(bytesOf(expected))).toBe(true);
  expect(given[0]?.weights[0]?.parts['weight']?.bytes.byteLength).toBe(0);
  const [first] = stacks(65_536, 1);
  const broken = { ...first?.weights[0], parts: {} } as WeightStack['weights'][number];
  await expect(converter.convert([{ weights: [broken] }])).rejects.toMatchObject({ family: 'internal' });
  expect((await converter.convert(stacks(65_536, 1))).arrays[0]).toHaveLength(65_536);
  const unfinished = converter.convert(stacks(65_536, 3));
  converter.close();
  await expect(unfinished).rejects.toMatchObject({ family: 'backend', code: 'converter-lost' });
});

test('one that cannot start is refused at once', async () => {
  const broken = (): Worker => new Worker('throw new Error("no such thread")', { eval: true });
  await expect(startConverter(broken)).rejects.toMatchObject({
    code: 'converter-lost',
    message: expect.stringContaining('no such thread'),
  });
});
