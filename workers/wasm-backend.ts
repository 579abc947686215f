import { StudioError } from '../src/core/base/errors.ts';
import { HostBackend, type SessionRuntime, type SessionValue } from '../src/core/calibration/host-backend.ts';
import type { WeightConverter } from '../src/core/calibration/weight-converter.ts';
import { loadOrt, type OrtModule, wasmThreads } from './ort-runtime.ts';
import { startConverter } from './start-converter.ts';

const MIB = 1024 * 1024;

function wasmRuntime(ort: OrtModule): SessionRuntime {
  return {
    async createSession(model) {
      const session = await ort.InferenceSession.create(model, { executionProviders: ['wasm'] });
      return {
        async run(inputs, outputs) {
          const feeds = Object.fromEntries(
            Object.entries(inputs).map(([name, { type, data, dims }]) => [name, new ort.Tensor(type, data, dims)]),
          );
          const results = await session.run(feeds, [...outputs]);
          return Object.fromEntries(
            Object.entries(results).map(([name, { type, data, dims }]) => [name, { type, data, dims } as SessionValue]),
          );
        },
        release: () => session.release(),
      };
    },
  };
}

/** onnxruntime-web on the CPU. `notes` say why nothing faster is used. Without a `converter` weights are decoded in place. */
export async function openWasmBackend(notes: readonly string[], converter?: WeightConverter): Promise<HostBackend> {
  const threads = wasmThreads();
  const isolation = crossOriginIsolated
    ? []
    : ['The page is not cross-origin isolated, so WebAssembly runs on one thread.'];
  return new HostBackend(
    wasmRuntime(await loadOrt()),
    {
      id: 'wasm',
      description: `WebAssembly, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      notes: [...notes, ...isolation],
    },
    {
      groupWeightBytes: 16 * MIB,
      groupRows: 16_384,
      tensorBytes: 256 * MIB,
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

/** Likewise for a whole model: weights are decoded in a second worker, or in place where none can be had, as a note says. */
export async function openConvertingWasmBackend(notes: readonly string[]): Promise<HostBackend> {
  try {
    return await openWasmBackend(notes, await startConverter());
  } catch (error) {
    if (!(error instanceof StudioError)) throw error;
    return openWasmBackend([...notes, `Weights are decoded between the runs. ${error.message}`]);
  }
}
