import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ReadonlyJsonObject } from '../base/json.ts';
import type { LoadedWeight } from '../checkpoint/read-weights.ts';
import { readQuantisation } from '../quantisation/quantisation-config.ts';
import { storedWeight } from '../quantisation/stored-weight.ts';
import type { TensorBytes } from '../quantisation/weight-scheme.ts';
import type { Dtype } from '../safetensors/dtype.ts';
import { fusedCuts } from './fused-expert.ts';
import { decodeStacks } from './weight-stack.ts';

/** An F32 weight that counts up from `first`. */
function counting(name: string, shape: readonly number[], first = 0): LoadedWeight {
  const values = Float32Array.from(
    { length: shape.reduce((numbers, size) => numbers * size, 1) },
    (_, at) => first + at,
  );
  const weight = { name, dtype: 'F32' as const, shape, bytes: new Uint8Array(values.buffer) };
  return { name, shape, scheme: 'plain', parts: { weight }, block: undefined, bits: 32, zeroPointsAsStored: false };
}

/** [rows, columns] by a formula, as f32. */
function matrix(rows: number, columns: number, of: (row: number, column: number) => number): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, at) => of(Math.floor(at / columns), at % columns));
}

describe('cuts of fused experts', () => {
  const [H, I] = [3, 2];
  test.each([
    ['out-in', false, (which: number, r: number, c: number) => (which * I + r) * H + c],
    ['out-in', true, (which: number, r: number, c: number) => (2 * r + which) * H + c],
    ['in-out', false, (which: number, r: number, c: number) => c * 2 * I + which * I + r],
    ['in-out', true, (which: number, r: number, c: number) => c * 2 * I + 2 * r + which],
  ] as const)('%s, interleaved %s', (orientation, interleaved, at) => {
    const cuts = fusedCuts({ hiddenSize: H, innerSize: I, orientation, interleaved });
    const turned = orientation === 'in-out';
    const experts = [0, 100].map((first) => counting('gate_up', turned ? [H, 2 * I] : [2 * I, H], first));
    const down = [counting('down', turned ? [I, H] : [H, I])];
    const bias = [counting('bias', [2 * I])];
    const [gate, up, downs, gateBias, upBias] = decodeStacks([
      { weights: experts, cut: cuts.gate },
      { weights: experts, cut: cuts.up },
      { weights: down, cut: cuts.down },
      { weights: bias, cut: cuts.gateBias },
      { weights: bias, cut: cuts.upBias },
    ]);
    const both = (which: number): Float32Array =>
      matrix(2 * I, H, (row, column) => (row < I ? 0 : 100) + at(which, row % I, column));
    expect(gate).toEqual(both(0));
    expect(up).toEqual(both(1));
    expect(downs).toEqual(matrix(H, I, (row, column) => (turned ? column * H + row : row * I + column)));
    expect(gateBias).toEqual(Float32Array.from({ length: I }, (_, row) => (interleaved ? 2 * row : row)));
    expect(upBias).toEqual(Float32Array.from({ length: I }, (_, row) => (interleaved ? 2 * row + 1 : I + row)));
  });

  test('a cut of another weight and neighbours of other sizes are refused', () => {
    const { gate } = fusedCuts({ hiddenSize: H, innerSize: I, orientation: 'out-in', interleaved: false });
    expect(() => decodeStacks([{ weights: [counting('short', [H, I])], cut: gate }])).toThrow('"short" has 6 numbers');
    expect(() => decodeStacks([{ weights: [counting('a', [2, 3]), counting('b', [2, 4])] }])).toThrow(
      '"b" has another',
    );
  });
});

test('weights are decoded over whatever the given memory held', () => {
  const stack = { weights: [counting('a', [2, 3]), counting('b', [2, 3], 50)] };
  const memory = new Float32Array(20).fill(Number.NaN).buffer;
  const [values] = decodeStacks([stack], [memory]);
  expect(values?.buffer).toBe(memory);
  expect(values).toEqual(decodeStacks([stack])[0]);
});

interface StoredCase {
  readonly name: string;
  readonly config: ReadonlyJsonObject;
  readonly tensors: Readonly<Record<string, { dtype: Dtype; shape: readonly number[]; data: string }>>;
}

/** Weights of every scheme, as stored. */
const CASES = JSON.parse(
  readFileSync(new URL('../quantisation/fixtures/quantised-weights.json', import.meta.url), 'utf8'),
) as readonly StoredCase[];

test.each(CASES.map((one) => [one.name, one] as const))('%s: every number of the memory is written', (_, stored) => {
  const parts = Object.entries(stored.tensors).map(([ending, { dtype, shape, data }]): [string, TensorBytes] => {
    const bytes = new Uint8Array(Buffer.from(data, 'base64'));
    return [ending, { name: ending, dtype, shape, bytes }];
  });
  const weight = storedWeight(stored.name, new Map(parts), readQuantisation(stored.config));
  const [clean = new Float32Array()] = decodeStacks([{ weights: [weight] }]);
  const [dirty] = decodeStacks([{ weights: [weight] }], [new Float32Array(clean.length).fill(123.25).buffer]);
  expect(Buffer.from(dirty?.buffer ?? new ArrayBuffer(0)).equals(Buffer.from(clean.buffer))).toBe(true);
});
