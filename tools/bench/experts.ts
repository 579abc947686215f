import { nodeBackend } from '../../src/cli/node-backend.ts';
import { assignTokens } from '../../src/core/calibration/expert-assignment.ts';
import { runExperts } from '../../src/core/calibration/expert-pass.ts';
import type { ExpertWeightReader } from '../../src/core/calibration/expert-weights.ts';
import type { BackendTensor, InferenceBackend } from '../../src/core/calibration/inference-backend.ts';
import { expertGraph } from '../../src/core/onnx/expert-graph.ts';

interface Case {
  readonly label: string;
  readonly tokens: number;
  readonly experts: number;
  readonly topK: number;
  readonly hidden: number;
  readonly inner: number;
}

const CASES: readonly Case[] = [
  { label: 'demo model, 4096 tokens', tokens: 4096, experts: 32, topK: 4, hidden: 256, inner: 64 },
  { label: 'demo model, 24,064 tokens', tokens: 24_064, experts: 32, topK: 4, hidden: 256, inner: 64 },
  {
    label: 'Qwen3-30B-A3B, 2048 tokens, 16 of its experts',
    tokens: 2048,
    experts: 16,
    topK: 4,
    hidden: 2048,
    inner: 768,
  },
];
const MIB = 1024 * 1024;
const RUNS = 3;

function noise(length: number): Float32Array<ArrayBuffer> {
  let state = 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

/** Experts of a token, uneven as real routers are: low indices are chosen more often. */
function unevenChoice({ tokens, experts, topK }: Case): Int32Array {
  const random = noise(tokens * topK);
  return Int32Array.from(random, (value, place) => {
    const skewed = Math.floor((value + 0.5) ** 1.5 * experts);
    return (skewed + (place % topK) * Math.floor(experts / topK)) % experts;
  });
}

async function seconds(backend: InferenceBackend, of: Case): Promise<number> {
  const graph = await backend.loadGraph(
    'experts',
    expertGraph({
      hiddenSize: of.hidden,
      innerSize: of.inner,
      activation: 'silu',
      limit: 0,
      bias: false,
      scaledInput: false,
    }),
  );
  const weightOf = (count: number, rows: number, columns: number): BackendTensor =>
    backend.upload('float32', noise(count * rows * columns), [count, rows, columns]);
  const cached = new Map<string, Record<'gate' | 'up' | 'down', BackendTensor>>();
  const weights = {
    prepare() {},
    async read() {},
    prefetch() {},
    async discard() {},
    async take(_: InferenceBackend, experts: readonly number[]) {
      const key = experts.join();
      const inputs = cached.get(key) ?? {
        gate: weightOf(experts.length, of.inner, of.hidden),
        up: weightOf(experts.length, of.inner, of.hidden),
        down: weightOf(experts.length, of.hidden, of.inner),
      };
      cached.set(key, inputs);
      return inputs;
    },
  } as unknown as ExpertWeightReader;
  const pass = {
    backend,
    limits: backend.limits,
    graph,
    weights,
    normed: backend.upload('float32', noise(of.tokens * of.hidden), [of.tokens, of.hidden]),
    hidden: backend.zeros([of.tokens, of.hidden]),
    assignment: assignTokens(unevenChoice(of), of.experts, of.topK),
    gates: new Float32Array(of.tokens * of.topK).fill(1 / of.topK),
    expertBytes: 3 * of.hidden * of.inner * 4,
    observe: () => {},
    afterRun: async () => {},
  };
  await runExperts(pass);
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    await runExperts(pass);
    times.push((performance.now() - start) / 1000);
  }
  await graph.release();
  return Math.min(...times);
}

/** One layer's experts with and without grouping; the ratio is what the limits of the backends rest on. */
export async function run(): Promise<void> {
  for (const of of CASES) {
    const backend = nodeBackend();
    const single = nodeBackend();
    Object.defineProperty(single, 'limits', { value: { ...single.limits, groupWeightBytes: 1 } });
    const large = nodeBackend();
    Object.defineProperty(large, 'limits', { value: { ...large.limits, groupWeightBytes: 512 * MIB } });
    const [one, grouped, all] = [await seconds(single, of), await seconds(backend, of), await seconds(large, of)];
    const flops = 6 * of.tokens * of.topK * of.hidden * of.inner;
    const line = (name: string, time: number): string =>
      `  ${name.padEnd(28)} ${(time * 1000).toFixed(1)} ms  ${(flops / time / 1e9).toFixed(0)} GFLOP/s  ×${(one / time).toFixed(2)}`;
    console.log(
      [
        of.label,
        line('one expert a run', one),
        line('groups of 16 MiB (default)', grouped),
        line('groups of 512 MiB', all),
      ].join('\n'),
    );
  }
}
