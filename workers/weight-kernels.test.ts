import { describe, expect, test } from 'vitest';
import { storedWeight } from '../src/core/quantisation/stored-weight.ts';
import type { TensorBytes } from '../src/core/quantisation/weight-scheme.ts';
import type { StoredCase } from './weight-kernels.fixture.ts';
import { WeightKernels } from './weight-kernels.ts';
import { WeightRing } from './weight-ring.ts';

/** All of a device that the decision needs; what a real one computes is held in e2e/weight-kernels.webgpu.spec.ts. */
function kernels(largest: number): WeightKernels {
  const device = { limits: { maxStorageBufferBindingSize: largest, maxBufferSize: 1 << 20 } } as GPUDevice;
  return new WeightKernels(device, new WeightRing(device));
}

function tensor(name: string, dtype: TensorBytes['dtype'], shape: readonly number[], bytes: Uint8Array<ArrayBuffer>) {
  return { name, dtype, shape, bytes } satisfies TensorBytes;
}

function fp8(scales: readonly number[], more: readonly TensorBytes[] = [], dtype: 'F8_E4M3' | 'I8' = 'F8_E4M3') {
  const parts = [
    tensor('weight', dtype, [scales.length, 8], new Uint8Array(8 * scales.length)),
    tensor('weight_scale', 'F32', [scales.length, 1], new Uint8Array(Float32Array.from(scales).buffer)),
    ...more,
  ];
  return storedWeight('module', new Map(parts.map((part) => [part.name, part])), undefined);
}

describe('weights that the device decodes', () => {
  test.each([
    ['ordinary scales', [0.5, -3, 0], true],
    ['the smallest and the largest', [2 ** -100, 2 ** 100], true],
    ['one below', [1, 2 ** -101], false],
    ['one above', [1, -(2 ** 101)], false],
    ['one that is no number', [Number.NaN, 1], false],
    ['one that has no end', [Number.POSITIVE_INFINITY, 1], false],
  ])('FP8 with %s: %s is %s', (_, scales, decodes) => {
    expect(kernels(1 << 20).decodes(fp8(scales))).toBe(decodes);
  });

  test('integers of eight bits without zero points, not with them', () => {
    const zeros = tensor('weight_zero_point', 'I8', [2, 1], new Uint8Array(2));
    expect(kernels(1 << 20).decodes(fp8([1, 2], [], 'I8'))).toBe(true);
    expect(kernels(1 << 20).decodes(fp8([1, 2], [zeros], 'I8'))).toBe(false);
  });

  test('none that has a tensor larger than the device binds', () => {
    const weight = storedWeight(
      'm',
      new Map([['weight', tensor('w', 'BF16', [64, 16], new Uint8Array(2048))]]),
      undefined,
    );
    expect(kernels(2048).decodes(weight)).toBe(true);
    expect(kernels(2047).decodes(weight)).toBe(false);
  });
});

test('an order of inputs that names no group is refused as the host refuses it', () => {
  const stored: StoredCase['tensors'] = {
    qweight: { dtype: 'I32', shape: [1, 8], data: '' },
    qzeros: { dtype: 'I32', shape: [1, 1], data: '' },
    scales: { dtype: 'F16', shape: [1, 8], data: '' },
    g_idx: { dtype: 'I32', shape: [8], data: '' },
  };
  const bytesOf = (name: string, size: number): Uint8Array<ArrayBuffer> =>
    new Uint8Array(size).fill(name === 'g_idx' ? 1 : 0);
  const parts = Object.entries(stored).map(([name, { dtype, shape }]): [string, TensorBytes] => {
    const size = (dtype === 'F16' ? 2 : 4) * shape.reduce((product, length) => product * length, 1);
    return [name, tensor(name, dtype, shape, bytesOf(name, size))];
  });
  expect(() => kernels(1 << 20).decodes(storedWeight('m', new Map(parts), undefined))).toThrow('it names group');
});
