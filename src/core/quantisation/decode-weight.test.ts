import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isStudioError } from '../base/errors.ts';
import { FP8_E4M3 } from '../base/small-formats.ts';
import { MemoryFolder } from '../bytes/memory-folder.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { decodeStored, readStored } from '../checkpoint/read-weights.ts';
import { decodeWeight } from './decode-weight.ts';
import { type QuantisedCase, quantisedCase, quantisedCases } from './quantised-weights.fixture.ts';
import { sliceFirstAxis, storedWeight } from './stored-weight.ts';
import type { TensorBytes, TensorFacts } from './weight-scheme.ts';

type RangedFacts = TensorFacts & { readonly offset: number; readonly byteLength: number };

const GOLDENS = new URL('../../../../shared/goldens/', import.meta.url);

function decode(parts: ReadonlyMap<string, TensorBytes>, { quantisation }: QuantisedCase): Float32Array {
  const weight = storedWeight('module', parts, quantisation);
  const out = new Float32Array(weight.shape.reduce((product, length) => product * length, 1));
  decodeWeight(weight, out);
  return out;
}

/** The same tensors, their bytes beginning `shift` bytes into a buffer. */
function shifted(parts: ReadonlyMap<string, TensorBytes>, shift: number): Map<string, TensorBytes> {
  const moved = [...parts].map(([ending, tensor]): [string, TensorBytes] => {
    const bytes = new Uint8Array(tensor.bytes.length + shift).subarray(shift);
    bytes.set(tensor.bytes);
    return [ending, { ...tensor, bytes }];
  });
  return new Map(moved);
}

/** The tensors with one part's words or bytes changed. */
function changed(
  { parts }: QuantisedCase,
  ending: string,
  change: (bytes: Uint8Array<ArrayBuffer>) => void,
): Map<string, TensorBytes> {
  const copy = shifted(parts, 0);
  change(copy.get(ending)?.bytes ?? new Uint8Array());
  return copy;
}

/** Where numbers differ in their bits; −0 is not 0, a NaN is a NaN. */
function differences(values: Float32Array, expected: Float32Array): number[] {
  if (values.length !== expected.length) return [-1];
  return Array.from(values.keys()).filter((at) => !Object.is(values[at], expected[at]));
}

describe.each(quantisedCases())('$name', (one) => {
  test('has the shape and, bit for bit, the numbers of the oracle', () => {
    expect(storedWeight('module', one.parts, one.quantisation).shape).toEqual(one.shape);
    expect(differences(decode(one.parts, one), one.values)).toEqual([]);
  });

  test.each([1, 2, 3])('decodes from bytes that begin at %d', (shift) => {
    expect(differences(decode(shifted(one.parts, shift), one), one.values)).toEqual([]);
  });
});

describe.each(quantisedCases().filter(({ shape }) => shape.length === 3))('$name', (one) => {
  test('each expert decodes alone, from its own ranges of the tensors', () => {
    const ranged = new Map(
      [...one.parts].map(([ending, tensor]) => [
        ending,
        { ...tensor, offset: 1000, byteLength: tensor.bytes.byteLength, whole: tensor.bytes },
      ]),
    );
    const weight = storedWeight('module', ranged, one.quantisation);
    const [experts = 0, ...shape] = one.shape;
    const size = one.values.length / experts;
    for (let expert = 0; expert < experts; expert++) {
      const slice = sliceFirstAxis(weight, expert);
      expect(slice.shape).toEqual(shape);
      const parts = Object.entries(slice.parts).map(([name, { whole, offset, byteLength, ...tensor }]) => {
        const begin = offset - 1000;
        return [name, { ...tensor, bytes: whole.slice(begin, begin + byteLength) }] as const;
      });
      const out = new Float32Array(size);
      decodeWeight({ ...slice, parts: Object.fromEntries(parts) }, out);
      expect(differences(out, one.values.subarray(expert * size, (expert + 1) * size))).toEqual([]);
    }
    expect(() => sliceFirstAxis(weight, experts)).toThrow(RangeError);
    expect(() => sliceFirstAxis(weight, -1)).toThrow(RangeError);
  });
});

test('fused experts that share one scale keep it when they are cut apart', () => {
  const weight: RangedFacts = { name: 'w', dtype: 'F8_E4M3', shape: [2, 2, 2], offset: 8, byteLength: 8 };
  const scale: RangedFacts = { name: 's', dtype: 'F32', shape: [1], offset: 0, byteLength: 4 };
  const parts = new Map([
    ['weight', weight],
    ['weight_scale', scale],
  ]);
  expect(sliceFirstAxis(storedWeight('w', parts, undefined), 1).parts).toEqual({
    weight: { ...weight, shape: [2, 2], offset: 12, byteLength: 4 },
    scale,
  });
});

test('FP8 in blocks of any size is value × scale of the block, at every edge', () => {
  const size = fc.integer({ min: 1, max: 9 });
  const sizes = fc.record({ rows: size, columns: size, high: size, wide: size, seed: fc.nat(255) });
  fc.assert(
    fc.property(sizes, ({ rows, columns, high, wide, seed }) => {
      const [down, across] = [Math.ceil(rows / high), Math.ceil(columns / wide)];
      const bytes = Uint8Array.from({ length: rows * columns }, (_, at) => (at * 37 + seed) & 255);
      const scales = Float32Array.from({ length: down * across }, (_, at) => (at + 1) * 0.3);
      const out = new Float32Array(rows * columns);
      const parts = new Map<string, TensorBytes>([
        ['weight', { name: 'w', dtype: 'F8_E4M3', shape: [rows, columns], bytes }],
        ['weight_scale_inv', { name: 's', dtype: 'F32', shape: [down, across], bytes: new Uint8Array(scales.buffer) }],
      ]);
      const quantisation = {
        method: 'fp8',
        block: [high, wide],
        bits: 4,
        groupSize: undefined,
        groups: [],
        zeroPointsAsStored: false,
      } as const;
      decodeWeight(storedWeight('module', parts, quantisation), out);
      const expected = Float32Array.from(bytes, (byte, at) => {
        const scale = scales[Math.floor(at / columns / high) * across + Math.floor((at % columns) / wide)] ?? 0;
        return (FP8_E4M3[byte] ?? 0) * scale;
      });
      expect(differences(out, expected)).toEqual([]);
    }),
  );
});

describe('what cannot be right is refused', () => {
  const refusal = (parts: ReadonlyMap<string, TensorBytes>, one: QuantisedCase): unknown => {
    try {
      decode(parts, one);
    } catch (error) {
      return isStudioError(error, 'checkpoint') ? [error.code, error.details['tensor']] : error;
    }
    return 'decoded';
  };

  test('an order of inputs that names a group beyond the last', () => {
    const one = quantisedCase('gptq 4 bits, inputs in another order');
    expect(
      refusal(
        changed(one, 'g_idx', (bytes) => bytes.set([99], 8)),
        one,
      ),
    ).toEqual(['unsupported-quantisation', 'module.g_idx']);
  });

  test('a stated shape that the tensors do not make', () => {
    const one = quantisedCase('packed 4 bits in groups');
    expect(
      refusal(
        changed(one, 'weight_shape', (bytes) => bytes.set([63], 8)),
        one,
      ),
    ).toEqual(['unsupported-quantisation', 'module.weight_shape']);
  });

  test('room for another number of numbers, and a part that is not there', () => {
    const { parts, quantisation } = quantisedCase('packed 4 bits in groups');
    const weight = storedWeight('module', parts, quantisation);
    expect(() => decodeWeight(weight, new Float32Array(5))).toThrow(RangeError);
    const out = new Float32Array(12 * 64);
    expect(() => decodeWeight({ ...weight, parts: {} }, out)).toThrow(RangeError);
  });
});

test('an order of inputs that was never set, −1 throughout, is the order they have', () => {
  const one = quantisedCase('packed 4 bits in groups');
  const unset = {
    name: 'module.weight_g_idx',
    dtype: 'I32',
    shape: [64],
    bytes: new Uint8Array(4 * 64).fill(255),
  } as const;
  expect(differences(decode(new Map([...one.parts, ['weight_g_idx', unset]]), one), one.values)).toEqual([]);
});

describe.skipIf(!existsSync(GOLDENS)).each(['minimax_m2_fp8_b32', 'minimax_m2_fp8_b128'])('%s', (name) => {
  test('every FP8 weight decodes to the reference’s f32', async () => {
    const folder = new URL(`${name}/`, GOLDENS);
    const files = ['config.json', 'model.safetensors'].map(
      (file) => [file, new Uint8Array(readFileSync(new URL(file, folder)))] as const,
    );
    const golden = JSON.parse(readFileSync(new URL('golden.json', folder), 'utf8'));
    const expected = new Map<string, { sha256: string }>(Object.entries(golden.checkpoint.dequantised_float32));
    const checkpoint = await openCheckpoint(new MemoryFolder(name, new Map(files)));
    const names = [...expected.keys()];
    const stored = names.map((weight) => {
      const module = [...checkpoint.tensors.values()].filter((tensor) => tensor.name.startsWith(weight));
      return storedWeight(
        weight,
        new Map(module.map((tensor) => [tensor.name === weight ? 'weight' : 'weight_scale_inv', tensor])),
        checkpoint.quantisation,
      );
    });
    const loaded = await readStored(checkpoint, stored);
    const wrong = names.filter((weight, index) => {
      const one = loaded[index];
      const bytes = one === undefined ? new Float32Array() : decodeStored(one);
      return createHash('sha256').update(bytes).digest('hex') !== expected.get(weight)?.sha256;
    });
    expect(names.length).toBeGreaterThan(50);
    expect(wrong).toEqual([]);
  });
});
