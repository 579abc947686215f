import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import { HostBackend, type SessionRuntime, type SessionValue } from '../core/calibration/host-backend.ts';

const MIB = 1024 * 1024;

function toOrt({ type, data, dims }: SessionValue): ort.Tensor {
  return new ort.Tensor(type, data as ort.Tensor.DataType, dims);
}

/** Sessions of onnxruntime-node on the CPU. */
const runtime = (threads: number): SessionRuntime => ({
  async createSession(model) {
    const session = await ort.InferenceSession.create(model, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    });
    return {
      async run(inputs, outputs) {
        const feeds = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, toOrt(value)]));
        const results = await session.run(feeds, [...outputs]);
        return Object.fromEntries(
          Object.entries(results).map(([name, { type, data, dims }]) => [name, { type, data, dims } as SessionValue]),
        );
      },
      release: () => session.release(),
    };
  },
});

/** The command line's backend: all cores, groups of small experts as one batch. */
export function nodeBackend(threads = availableParallelism()): HostBackend {
  return new HostBackend(
    runtime(threads),
    {
      id: 'node',
      description: `onnxruntime on the CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      notes: [],
    },
    {
      groupWeightBytes: 16 * MIB,
      groupRows: 32_768,
      attentionTokens: 4096,
      fusedAttention: false,
      scoreBytes: 64 * MIB,
      blockTokens: 131_072,
    },
  );
}
