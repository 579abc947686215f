import { StudioError } from '../base/errors.ts';
import type { BackendTensor, InferenceBackend } from './inference-backend.ts';

/** Rows that the question to a device is made of; read back in reverse they come through a kernel of its own. */
const QUESTION = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
const REVERSED = Float32Array.of(9, 10, 11, 12, 5, 6, 7, 8, 1, 2, 3, 4);

function unreliable(
  code: 'device-lost' | 'non-finite-output',
  backend: InferenceBackend,
  problem: string,
): StudioError {
  return new StudioError('backend', code, `${backend.about.description} ${problem}.`, {
    nextStep: 'Start the calibration again: finished layers are kept. If it happens again, choose WebAssembly.',
    details: { backend: backend.about.id },
  });
}

/** True when the device still moves numbers rightly. */
async function computes(backend: InferenceBackend): Promise<boolean> {
  const source = backend.upload('float32', QUESTION.slice(), [3, 4]);
  const gathered = backend.gatherRows(source, Int32Array.of(2, 1, 0), [1, 3, 4]);
  try {
    const answer = await backend.read(gathered);
    return REVERSED.every((value, index) => answer[index] === value);
  } finally {
    source.dispose();
    gathered.dispose();
  }
}

/**
 * `backend` with an eye on what is read from it: a device that was lost, or whose memory was taken away, may answer with
 * zeros or with anything, and no error. Readings of zeros alone are the model's own only if the device still computes a
 * known answer; a number that is not finite is never handed on.
 * @returns A backend whose `read` throws StudioError family `backend`: `device-lost`, `non-finite-output`.
 */
export function watchBackend(backend: InferenceBackend): InferenceBackend {
  const read = async (tensor: BackendTensor): Promise<Float32Array<ArrayBuffer>> => {
    const values = await backend.read(tensor);
    let zeros = true;
    for (const value of values) {
      if (!Number.isFinite(value)) {
        throw unreliable('non-finite-output', backend, 'gave a number that is not finite');
      }
      zeros &&= value === 0;
    }
    if (zeros && !(await computes(backend))) {
      throw unreliable('device-lost', backend, 'gives zeros instead of results: the device was lost');
    }
    return values;
  };
  return new Proxy(backend, {
    get(target, key) {
      if (key === 'read') return read;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
