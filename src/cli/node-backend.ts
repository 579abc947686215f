import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import { HostBackend, type SessionRuntime, type SessionValue } from '../core/calibration/host-backend.ts';
import { LazyConverter } from '../core/calibration/lazy-converter.ts';
import type { WeightConverter } from '../core/calibration/weight-converter.ts';
import { startConverter } from './start-converter.ts';

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

/** onnxruntime on all cores or `threads` of them, groups of small experts as one batch; weights are decoded in place. */
export function nodeBackend(
  threads = availableParallelism(),
  converter?: WeightConverter,
  notes: string[] = [],
): HostBackend {
  return new HostBackend(
    runtime(threads),
    {
      id: 'node',
      description: `onnxruntime on the CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      notes,
    },
    {
      groupWeightBytes: 16 * MIB,
      groupRows: 32_768,
      tensorBytes: 512 * MIB,
      attentionTokens: 4096,
      fusedAttention: false,
      scoreBytes: 64 * MIB,
      blockTokens: 131_072,
      groupsAhead: 1,
      runsBlock: true,
    },
    converter,
  );
}

/**
 * The command line's backend: weights are decoded in a second thread, or in place where none can be had, which its notes
 * say from then on.
 */
export async function openNodeBackend(threads?: number): Promise<HostBackend> {
  const notes: string[] = [];
  const converter = new LazyConverter(startConverter, (error) => {
    notes.push(`Weights are decoded between the runs. ${error instanceof Error ? error.message : String(error)}`);
  });
  return nodeBackend(threads, converter, notes);
}
