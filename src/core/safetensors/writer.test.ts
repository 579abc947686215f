import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { isDtype } from './dtype.ts';
import { parseHeader } from './header.ts';
import { layoutTensors, type TensorShape } from './writer.ts';

const fixture = (name: string): Buffer => readFileSync(new URL(`fixtures/${name}`, import.meta.url));

const WRITTEN = z
  .object({
    files: z.record(
      z.string(),
      z.object({
        metadata: z.record(z.string(), z.string()).nullable(),
        tensors: z.array(z.tuple([z.string(), z.string(), z.array(z.number()), z.string()])),
      }),
    ),
  })
  .parse(JSON.parse(fixture('written.json').toString()));

function tensorShapes(rows: readonly (readonly [string, string, readonly number[], string])[]): TensorShape[] {
  return rows.map(([name, dtype, shape]) => {
    if (!isDtype(dtype)) throw new TypeError(`the fixture names the dtype ${dtype}`);
    return { name, dtype, shape };
  });
}

describe.each(Object.entries(WRITTEN.files))(
  '%s.safetensors as the library wrote it',
  (name, { metadata, tensors }) => {
    const file = fixture(`${name}.safetensors`);

    test('parses to the same tensors with the same bytes', () => {
      const header = parseHeader(file, file.byteLength, name);
      const found = header.tensors.map((tensor) => {
        const bytes = file.subarray(header.dataOffset + tensor.begin, header.dataOffset + tensor.end);
        const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
        return [tensor.name, tensor.dtype, tensor.shape, hash];
      });
      expect(new Set(found)).toEqual(new Set(tensors));
      expect(header.metadata).toEqual(new Map(Object.entries(metadata ?? {})));
    });

    test('is laid out with the same header, from the tensors in any order', () => {
      const shapes = tensorShapes(tensors);
      for (const order of [shapes, shapes.toReversed()]) {
        const layout = layoutTensors(order, new Map(Object.entries(metadata ?? {})));
        const header = Buffer.from(layout.header);
        expect(header.toString()).toBe(file.subarray(0, header.byteLength).toString());
        expect(header.equals(file.subarray(0, header.byteLength))).toBe(true);
        expect(layout.fileSize).toBe(file.byteLength);
        expect(layout.entries).toEqual(parseHeader(file, file.byteLength, name).tensors);
      }
    });
  },
);

describe('layoutTensors', () => {
  const tensor = (name: string): TensorShape => ({ name, dtype: 'BF16', shape: [2] });

  test('refuses names that a file could not give back', () => {
    for (const names of [['a', 'a'], ['__metadata__'], ['half \ud800']]) {
      expect(() => layoutTensors(names.map(tensor))).toThrow(RangeError);
    }
  });

  test('refuses a shape without a size in bytes', () => {
    expect(() => layoutTensors([{ name: 'a', dtype: 'F4', shape: [3] }])).toThrow('partial-byte');
    expect(() => layoutTensors([{ name: 'a', dtype: 'U8', shape: [2 ** 31, 2 ** 31] }])).toThrow('size-overflow');
  });

  test('refuses a header beyond the ceiling of the format', () => {
    const name = 'n'.repeat(1_000_000);
    expect(() => layoutTensors(Array.from({ length: 101 }, (_, index) => tensor(`${index}${name}`)))).toThrow(
      'ceiling',
    );
  });
});
