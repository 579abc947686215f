import { HostBackend, type SessionRuntime, type SessionValue } from '../src/core/calibration/host-backend.ts';
import { loadOrt, type OrtModule, wasmThreads } from './ort-runtime.ts';

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

/** onnxruntime-web on the CPU. `notes` say why nothing faster is used. */
export async function openWasmBackend(notes: readonly string[]): Promise<HostBackend> {
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
      attentionTokens: 4096,
      fusedAttention: false,
      scoreBytes: 64 * MIB,
      blockTokens: 131_072,
    },
  );
}
