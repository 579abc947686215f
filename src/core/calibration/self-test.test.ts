import { expect, it } from 'vitest';
import { nodeBackend } from '../../cli/node-backend.ts';
import type { BackendTensor, InferenceBackend } from './inference-backend.ts';
import { selfTest } from './self-test.ts';

/** A backend whose read-back is changed by `spoil`, for tensors of `elements` numbers. */
function spoiled(elements: number, spoil: (values: Float32Array) => void): InferenceBackend {
  const backend = nodeBackend(1);
  const read = backend.read.bind(backend);
  backend.read = async (tensor: BackendTensor) => {
    const values = await read(tensor);
    if (values.length === elements) spoil(values);
    return values;
  };
  return backend;
}

it('accepts a backend that computes alike', async () => {
  expect(await selfTest(nodeBackend(2), nodeBackend(1))).toBeLessThan(1e-5);
});

it.each([
  [
    'attention over 200 tokens, by a little',
    200 * 64,
    (values: Float32Array) => values.fill((values[5] ?? 0) + 0.5, 5, 6),
    'fused attention over 200 tokens',
  ],
  [
    'attention over 64 tokens, by NaN',
    128 * 8,
    (values: Float32Array) => values.fill(Number.NaN, 3, 4),
    'fused attention over 64 tokens',
  ],
  ['the experts', 100 * 64, (values: Float32Array) => values.reverse(), 'the experts'],
] as const)('refuses one that is wrong in %s', async (_, elements, spoil, part) => {
  await expect(selfTest(spoiled(elements, spoil), nodeBackend(1))).rejects.toMatchObject({
    code: 'self-test-failed',
    details: { part },
  });
});
