import { expect, test } from 'vitest';
import { nodeBackend } from '../../cli/node-backend.ts';
import type { LoadedWeight } from '../checkpoint/read-weights.ts';

function weight(value: number): LoadedWeight {
  const bytes = new Uint8Array(Float32Array.of(value, value).buffer);
  const parts = { weight: { name: 'pair', dtype: 'F32' as const, shape: [2], bytes } };
  return { name: 'pair', shape: [2], scheme: 'plain', parts, block: undefined, bits: 32, zeroPointsAsStored: false };
}

test('memory of weights is used again, but never for two at once', async () => {
  const backend = nodeBackend(1);
  const load = async (value: number) => {
    const [tensor] = await backend.uploadStacks([{ weights: [weight(value)] }]);
    return tensor ?? expect.fail('no tensor');
  };
  const first = await load(1);
  const viewed = backend.view(first, [2, 1]);
  // The view has taken its place: this frees nothing.
  first.dispose();
  const second = await load(2);
  expect(await backend.read(viewed)).toEqual(Float32Array.of(1, 1));
  viewed.dispose();
  viewed.dispose();
  const [third, fourth] = [await load(3), await load(4)];
  const values = await Promise.all([second, third, fourth].map((tensor) => backend.read(tensor)));
  expect(values).toEqual([2, 3, 4].map((value) => Float32Array.of(value, value)));
});
