import { describe, expect, it } from 'vitest';
import { nodeBackend } from '../../cli/node-backend.ts';
import { type ExpertGraphSpec, expertGraph } from './expert-graph.ts';

/** One expert of width 1 whose gate and up are the numbers given: y = (activation, 0). */
async function activation(spec: Partial<ExpertGraphSpec>, gate: number, up: number, scale = 1): Promise<number[]> {
  const backend = nodeBackend(1);
  const whole = {
    hiddenSize: 2,
    innerSize: 1,
    activation: 'silu',
    limit: 7,
    bias: false,
    scaledInput: false,
    ...spec,
  } as const;
  const graph = await backend.loadGraph('expert', expertGraph(whole));
  const floats = (values: number[], dims: number[]) => backend.upload('float32', Float32Array.from(values), dims);
  const inputs = {
    x: floats([1, 0], [1, 1, 2]),
    up: floats([up, 0], [1, 1, 2]),
    down: floats([1, 0], [1, 2, 1]),
    ...(whole.activation === 'relu-squared' ? {} : { gate: floats([gate, 0], [1, 1, 2]) }),
    ...(whole.scaledInput ? { scale: floats([scale], [1, 1, 1]) } : {}),
    ...(whole.bias
      ? {
          gate_bias: floats([0.5], [1, 1, 1]),
          up_bias: floats([0.25], [1, 1, 1]),
          down_bias: floats([0, 3], [1, 2, 1]),
        }
      : {}),
  };
  const { y, norm, max_abs } = await graph.run(inputs, ['y', 'norm', 'max_abs']);
  return [...(await backend.read(y)), ...(await backend.read(norm)), ...(await backend.read(max_abs))];
}

function expectNumbers(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 4);
}

const silu = (x: number): number => x / (1 + Math.exp(-x));

describe('the expert graph', () => {
  it.each([
    [1, 2, 2.537387],
    [10, -9, -41.999719],
  ])('clamps and shifts as gpt-oss does: gate %f, up %f (case G10)', async (gate, up, y) => {
    expectNumbers(await activation({ activation: 'clamped-swiglu' }, gate, up), [y, 0, Math.abs(y), Math.abs(y)]);
  });

  it('adds the biases of all three projections', async () => {
    const y = silu(1.5) * 2.25;
    expectNumbers(await activation({ bias: true }, 1, 2), [y, 3, Math.hypot(y, 3), Math.max(y, 3)]);
  });

  it('squares what is positive where there is no gate', async () => {
    expectNumbers(await activation({ activation: 'relu-squared' }, 0, 3), [9, 0, 9, 9]);
    expectNumbers(await activation({ activation: 'relu-squared' }, 0, -3), [0, 0, 0, 0]);
  });

  it('scales the input of what it gives, and measures what it would give without', async () => {
    const plain = silu(1) * 2;
    expectNumbers(await activation({ scaledInput: true }, 1, 2, 0.5), [silu(0.5), 0, plain, plain]);
  });
});
