import type * as Ort from 'onnxruntime-web';

export type OrtModule = typeof Ort;

let loaded: Promise<OrtModule> | undefined;

/** Threads that WebAssembly may use here: all cores, or one where the page is not cross-origin isolated. */
export function wasmThreads(): number {
  return crossOriginIsolated ? navigator.hardwareConcurrency : 1;
}

/** The build with both execution providers needs WebAssembly's promise integration; the plain one runs anywhere. */
async function importRuntime(): Promise<OrtModule> {
  if ('Suspending' in WebAssembly) {
    const [ort, mjs, wasm] = await Promise.all([
      import('onnxruntime-web/jspi'),
      import('onnxruntime-web/ort-wasm-simd-threaded.jspi.mjs?url'),
      import('onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url'),
    ]);
    ort.env.wasm.wasmPaths = { mjs: mjs.default, wasm: wasm.default };
    return ort;
  }
  const [ort, mjs, wasm] = await Promise.all([
    import('onnxruntime-web/wasm'),
    import('onnxruntime-web/ort-wasm-simd-threaded.mjs?url'),
    import('onnxruntime-web/ort-wasm-simd-threaded.wasm?url'),
  ]);
  ort.env.wasm.wasmPaths = { mjs: mjs.default, wasm: wasm.default };
  return ort;
}

/** onnxruntime-web, loaded once a worker. The number of threads is read at the first session and stays. */
export function loadOrt(): Promise<OrtModule> {
  loaded ??= importRuntime().then(
    (ort) => {
      ort.env.wasm.numThreads = wasmThreads();
      ort.env.logLevel = 'error';
      return ort;
    },
    (cause: unknown) => {
      // A file that did not load may load the next time.
      loaded = undefined;
      throw cause;
    },
  );
  return loaded;
}
