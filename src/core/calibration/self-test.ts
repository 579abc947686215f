import { StudioError } from '../base/errors.ts';
import type { GroupedQueryMixer } from '../checkpoint/mixer-config.ts';
import type { Rotary } from '../checkpoint/rope-config.ts';
import { expertGraph } from '../onnx/expert-graph.ts';
import { layerGraph } from '../onnx/layer-graph.ts';
import { rotaryTables } from '../onnx/rotary.ts';
import type { AttentionKernel } from '../onnx/softmax-attention.ts';
import type { BackendTensor, InferenceBackend } from './inference-backend.ts';

const HIDDEN = 64;
const EXPERTS = 8;
const ROTARY: Rotary = { dimensions: 32, style: 'halves', theta: 10_000, scaling: { kind: 'default' } };
const MIXER: GroupedQueryMixer = {
  kind: 'grouped-query',
  heads: 4,
  keyValueHeads: 2,
  headDim: 32,
  queryKeyValueBias: false,
  outputBias: false,
  queryKeyNorm: { over: 'head', place: 'before-rotation', unit: false },
  rotary: ROTARY,
  scale: 1 / Math.sqrt(32),
  clip: undefined,
  window: undefined,
  chunk: undefined,
  sinks: false,
  outputGate: false,
  temperature: undefined,
};
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

function causalMask(length: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: length * length }, (_, i) =>
    i % length <= Math.floor(i / length) ? 0 : Number.NEGATIVE_INFINITY,
  );
}

async function attentionOutputs(
  backend: InferenceBackend,
  count: number,
  length: number,
  kernel: AttentionKernel,
): Promise<Float32Array[]> {
  const { heads, keyValueHeads, headDim } = MIXER;
  const graph = await backend.loadGraph(
    'self-test attention',
    layerGraph({
      hiddenSize: HIDDEN,
      norm: { kind: 'rms', epsilon: 1e-6 },
      mixer: { kind: 'inside', mixer: MIXER, kernel },
      residual: 1,
      router: { rows: EXPERTS, bias: false, sharedGate: false },
      feedForward: true,
    }),
  );
  const { cos, sin } = rotaryTables(ROTARY, length);
  const inputs = {
    hidden: fill(backend, [count * length, HIDDEN], 1),
    'input-norm': fill(backend, [HIDDEN], 2),
    query: fill(backend, [heads * headDim, HIDDEN], 3),
    key: fill(backend, [keyValueHeads * headDim, HIDDEN], 4),
    value: fill(backend, [keyValueHeads * headDim, HIDDEN], 5),
    output: fill(backend, [HIDDEN, heads * headDim], 6),
    'query-norm': fill(backend, [headDim], 7),
    'key-norm': fill(backend, [headDim], 8),
    'post-attention-norm': fill(backend, [HIDDEN], 9),
    router: fill(backend, [EXPERTS, HIDDEN], 10),
    cos: backend.upload('float32', cos, [length, headDim / 2]),
    sin: backend.upload('float32', sin, [length, headDim / 2]),
    batch_shape: backend.upload('int64', BigInt64Array.from([BigInt(count), BigInt(length), -1n]), [3]),
    first: backend.upload('int64', BigInt64Array.of(0n), [1]),
    ...(kernel.kind === 'fused'
      ? {
          last: backend.upload('int32', new Int32Array(count).fill(length - 1), [count]),
          length: backend.upload('int32', Int32Array.from([length]), [1]),
        }
      : { mask: backend.upload('float32', causalMask(length), [length, length]) }),
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
  const hidden = HIDDEN;
  const graph = await backend.loadGraph(
    'self-test experts',
    expertGraph({
      hiddenSize: hidden,
      innerSize: INNER,
      activation: 'silu',
      limit: 0,
      bias: false,
      scaledInput: false,
    }),
  );
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
  const kernels = [{ kind: 'fused' }, { kind: 'composed', parts: 2 }] as const;
  const parts: readonly (readonly [string, (on: InferenceBackend) => Promise<Float32Array[]>])[] = [
    ...SEQUENCES.flatMap(({ count, length }) =>
      kernels.map(
        (kernel) =>
          [
            `${kernel.kind} attention over ${length} tokens`,
            (on: InferenceBackend) => attentionOutputs(on, count, length, kernel),
          ] as const,
      ),
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
