import { StudioError } from '../base/errors.ts';
import { attentionGraph } from '../onnx/attention-graph.ts';
import { expertGraph } from '../onnx/expert-graph.ts';
import { rotaryTables } from '../onnx/rotary.ts';
import type { BackendTensor, InferenceBackend } from './inference-backend.ts';

const SHAPE = {
  hiddenSize: 64,
  heads: 4,
  keyValueHeads: 2,
  headDim: 32,
  normEpsilon: 1e-6,
  bias: false,
  queryKeyNorm: 'per-head',
  experts: 8,
  kernel: 'fused',
} as const;
const INNER = 48;
/** Largest difference that rounding explains, relative to the largest value. A wrong attention is off by 0.3. */
const TOLERANCE = 1e-3;
/** Lengths that reach the blocked attention kernels; short ones do not (wrong results were seen from 32 tokens on). */
const SEQUENCES = [
  { count: 2, length: 64 },
  { count: 1, length: 200 },
] as const;

/** Numbers in [−0.5, 0.5), equal on every machine. */
function noise(length: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

function fill(backend: InferenceBackend, dims: readonly number[], seed: number): BackendTensor {
  return backend.upload(
    'float32',
    noise(
      dims.reduce((product, size) => product * size, 1),
      seed,
    ),
    dims,
  );
}

async function attentionOutputs(backend: InferenceBackend, count: number, length: number): Promise<Float32Array[]> {
  const { hiddenSize: hidden, heads, keyValueHeads, headDim, experts } = SHAPE;
  const graph = await backend.loadGraph('self-test attention', attentionGraph(SHAPE));
  const { cos, sin } = rotaryTables(length, headDim, 10_000);
  const inputs = {
    hidden: fill(backend, [count, length, hidden], 1),
    input_norm: fill(backend, [hidden], 2),
    query: fill(backend, [heads * headDim, hidden], 3),
    key: fill(backend, [keyValueHeads * headDim, hidden], 4),
    value: fill(backend, [keyValueHeads * headDim, hidden], 5),
    output: fill(backend, [hidden, heads * headDim], 6),
    query_norm: fill(backend, [headDim], 7),
    key_norm: fill(backend, [headDim], 8),
    post_attention_norm: fill(backend, [hidden], 9),
    router: fill(backend, [experts, hidden], 10),
    cos: backend.upload('float32', cos, [length, headDim / 2]),
    sin: backend.upload('float32', sin, [length, headDim / 2]),
    batch_shape: backend.upload('int64', BigInt64Array.from([BigInt(count), BigInt(length), -1n]), [3]),
    last: backend.upload('int32', new Int32Array(count).fill(length - 1), [count]),
    length: backend.upload('int32', Int32Array.from([length]), [1]),
  };
  const result = await graph.run(inputs, ['hidden_out', 'normed', 'logits']);
  const outputs = [
    await backend.read(result.hidden_out),
    await backend.read(result.normed),
    await backend.read(result.logits),
  ];
  for (const tensor of [...Object.values(inputs), ...Object.values(result)]) tensor.dispose();
  await graph.release();
  return outputs;
}

/** Gathers 70 of 100 rows for each of two experts, runs them, and adds the results back into the rows. */
async function expertOutputs(backend: InferenceBackend): Promise<Float32Array[]> {
  const { hiddenSize: hidden } = SHAPE;
  const graph = await backend.loadGraph('self-test experts', expertGraph(hidden, INNER));
  const tokens = fill(backend, [100, hidden], 11);
  const target = fill(backend, [100, hidden], 12);
  const rows = Int32Array.from({ length: 140 }, (_, i) => (i % 70 === 69 ? -1 : ((i % 70) * (i < 70 ? 1 : 3)) % 100));
  const weights = {
    gate: fill(backend, [2, INNER, hidden], 13),
    up: fill(backend, [2, INNER, hidden], 14),
    down: fill(backend, [2, hidden, INNER], 15),
  };
  const x = backend.gatherRows(tokens, rows, [2, 70, hidden]);
  const result = await graph.run({ x, ...weights }, ['y', 'norm', 'max_abs']);
  backend.scatterAddRows(target, rows, noise(140, 16), result.y);
  const outputs = [await backend.read(target), await backend.read(result.norm), await backend.read(result.max_abs)];
  for (const tensor of [tokens, target, x, ...Object.values(weights), ...Object.values(result)]) tensor.dispose();
  await graph.release();
  return outputs;
}

function difference(found: Float32Array, expected: Float32Array): number {
  let largest = 0;
  let error = found.length === expected.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < expected.length; i++) {
    const value = found[i] ?? Number.NaN;
    largest = Math.max(largest, Math.abs(expected[i] ?? 0));
    error = Number.isFinite(value) ? Math.max(error, Math.abs(value - (expected[i] ?? 0))) : Number.POSITIVE_INFINITY;
  }
  return error / Math.max(largest, Number.MIN_VALUE);
}

/**
 * Holds a backend against a trusted one on small random layers, with sequences long enough for every attention kernel.
 * @returns the largest relative difference seen.
 * @throws StudioError family `backend` code `self-test-failed` naming the part that is wrong.
 */
export async function selfTest(backend: InferenceBackend, trusted: InferenceBackend): Promise<number> {
  const parts: readonly (readonly [string, (on: InferenceBackend) => Promise<Float32Array[]>])[] = [
    ...SEQUENCES.map(
      ({ count, length }) =>
        [`attention over ${length} tokens`, (on: InferenceBackend) => attentionOutputs(on, count, length)] as const,
    ),
    ['the experts', expertOutputs],
  ];
  let worst = 0;
  for (const [name, run] of parts) {
    const expected = await run(trusted);
    const found = await run(backend);
    for (const [i, values] of expected.entries())
      worst = Math.max(worst, difference(found[i] ?? new Float32Array(), values));
    if (worst > TOLERANCE) {
      throw new StudioError(
        'backend',
        'self-test-failed',
        `This graphics processor computes ${name} wrongly (off by ${worst.toExponential(1)} of the largest value).`,
        {
          nextStep: 'Calibrate with WebAssembly instead, or update the graphics driver and the browser.',
          details: { part: name, error: worst },
        },
      );
    }
  }
  return worst;
}
