import { StudioError } from '../src/core/base/errors.ts';
import type { InferenceBackend } from '../src/core/calibration/inference-backend.ts';
import { selfTest } from '../src/core/calibration/self-test.ts';
import type { BackendChoice } from '../src/core/protocol/calibration-protocol.ts';
import { openGpu } from './gpu-device.ts';
import { openConvertingWasmBackend, openWasmBackend } from './wasm-backend.ts';
import { WebGpuBackend } from './webgpu-backend.ts';

/** How long an adapter is waited for, in milliseconds: longer when the person asked for the graphics processor. */
const PATIENCE = { auto: 3000, webgpu: 10_000 };

async function openWebGpu(choice: 'auto' | 'webgpu', hiddenSize: number): Promise<InferenceBackend> {
  const gpu = await openGpu(PATIENCE[choice]);
  if (gpu.isSoftware && choice === 'auto') {
    gpu.device.destroy();
    throw new StudioError(
      'backend',
      'software-adapter',
      'WebGPU has only a software adapter here, which is slower than WebAssembly.',
      {
        nextStep: 'Nothing needs to be done.',
      },
    );
  }
  const backend = await WebGpuBackend.open(gpu, hiddenSize, []).catch((cause: unknown) => {
    gpu.device.destroy();
    throw cause;
  });
  try {
    const error = await selfTest(backend, await openWasmBackend([]));
    const notes = [`The self-test agrees with WebAssembly to ${error.toExponential(0)}.`];
    return await WebGpuBackend.open(gpu, hiddenSize, notes);
  } catch (cause) {
    await backend.close();
    throw cause;
  }
}

/** What kept the graphics processor from being used; drivers and the browser throw errors of their own. */
function refusal(error: unknown): StudioError {
  if (error instanceof StudioError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new StudioError('backend', 'webgpu-unavailable', `The graphics processor cannot be used: ${reason}`, {
    nextStep: 'Calibrate with WebAssembly, or start the browser again and try once more.',
    cause: error,
  });
}

/**
 * The fastest backend that computes rightly here, or the one that was asked for.
 * @param hiddenSize H of the model, which decides how many tokens stay on the device at once.
 * @throws StudioError family `backend` when `choice` is `webgpu` and it cannot be had; `auto` falls back and says why.
 */
export async function openBackend(choice: BackendChoice, hiddenSize: number): Promise<InferenceBackend> {
  if (choice === 'wasm') return openConvertingWasmBackend([]);
  try {
    return await openWebGpu(choice, hiddenSize);
  } catch (error) {
    const reason = refusal(error);
    if (choice === 'webgpu') throw reason;
    return openConvertingWasmBackend([reason.message]);
  }
}
