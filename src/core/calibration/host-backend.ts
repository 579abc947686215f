import { StudioError } from '../base/errors.ts';
import type { LoadedWeight } from '../checkpoint/read-weights.ts';
import { decodeWeight } from '../quantisation/decode-weight.ts';
import type {
  BackendDescription,
  BackendGraph,
  BackendLimits,
  BackendTensor,
  BackendTensorType,
  HostArrays,
  InferenceBackend,
} from './inference-backend.ts';

/** A value as onnxruntime's CPU sessions take and give it. */
export interface SessionValue {
  readonly type: BackendTensorType;
  readonly data: HostArrays[BackendTensorType];
  readonly dims: readonly number[];
}

/** The part of onnxruntime that a host backend needs; implemented over onnxruntime-web (WASM) and onnxruntime-node. */
export interface SessionRuntime {
  createSession(model: Uint8Array<ArrayBuffer>): Promise<{
    run(
      inputs: Readonly<Record<string, SessionValue>>,
      outputs: readonly string[],
    ): Promise<Readonly<Record<string, SessionValue>>>;
    release(): Promise<void>;
  }>;
}

class HostTensor implements BackendTensor, SessionValue {
  readonly type: BackendTensorType;
  readonly data: HostArrays[BackendTensorType];
  readonly dims: readonly number[];

  constructor(type: BackendTensorType, data: HostArrays[BackendTensorType], dims: readonly number[]) {
    this.type = type;
    this.data = data;
    this.dims = dims;
  }

  /** The garbage collector takes host memory back. */
  dispose(): void {}
}

function elements(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

function hostTensor(tensor: BackendTensor): HostTensor {
  if (!(tensor instanceof HostTensor)) throw new TypeError('a tensor of another backend was given to the host backend');
  return tensor;
}

function floats(tensor: BackendTensor): Float32Array<ArrayBuffer> {
  const { data } = hostTensor(tensor);
  if (!(data instanceof Float32Array)) throw new TypeError('float data expected');
  return data;
}

/** Computes on the CPU: tensors are typed arrays, gathering and scattering are loops, graphs run in onnxruntime. */
export class HostBackend implements InferenceBackend {
  readonly about: BackendDescription;
  readonly limits: BackendLimits;
  readonly #runtime: SessionRuntime;

  constructor(runtime: SessionRuntime, about: BackendDescription, limits: BackendLimits) {
    this.#runtime = runtime;
    this.about = about;
    this.limits = limits;
  }

  async loadGraph(name: string, model: Uint8Array<ArrayBuffer>): Promise<BackendGraph> {
    const failed = (cause: unknown): StudioError =>
      new StudioError(
        'backend',
        'graph-failed',
        `The ${name} graph failed on ${this.about.description}: ${cause instanceof Error ? cause.message : String(cause)}`,
        {
          nextStep:
            'Start the calibration again; finished layers are kept. If it fails at the same place, use fewer tokens or another backend.',
          details: { graph: name, backend: this.about.id },
          cause,
        },
      );
    const session = await this.#runtime.createSession(model).catch((cause: unknown) => {
      throw failed(cause);
    });
    return {
      async run(inputs, outputs) {
        const values = Object.fromEntries(Object.entries(inputs).map(([key, tensor]) => [key, hostTensor(tensor)]));
        const results = await session.run(values, outputs).catch((cause: unknown) => {
          throw failed(cause);
        });
        const tensors = outputs.map((output) => {
          const value = results[output];
          if (value === undefined) throw failed(`no output "${output}"`);
          return [output, new HostTensor(value.type, value.data, value.dims)] as const;
        });
        return Object.fromEntries(tensors) as Record<(typeof outputs)[number], HostTensor>;
      },
      release: () => session.release(),
    };
  }

  upload<Type extends BackendTensorType>(type: Type, data: HostArrays[Type], dims: readonly number[]): BackendTensor {
    return new HostTensor(type, data, dims);
  }

  async uploadWeights(weights: readonly LoadedWeight[]): Promise<BackendTensor> {
    const shape = weights[0]?.shape ?? [];
    const size = elements(shape);
    const data = new Float32Array(size * weights.length);
    weights.forEach((weight, index) => {
      decodeWeight(weight, data.subarray(index * size, (index + 1) * size));
    });
    return new HostTensor('float32', data, [weights.length, ...shape]);
  }

  zeros(dims: readonly number[]): BackendTensor {
    return new HostTensor('float32', new Float32Array(elements(dims)), dims);
  }

  view(tensor: BackendTensor, dims: readonly number[]): BackendTensor {
    const { type, data } = hostTensor(tensor);
    return new HostTensor(type, data, dims);
  }

  rows(source: BackendTensor, start: number, count: number, dims: readonly number[]): BackendTensor {
    const width = source.dims[1] ?? 0;
    return new HostTensor('float32', floats(source).subarray(start * width, (start + count) * width), dims);
  }

  writeRows(target: BackendTensor, start: number, source: BackendTensor): void {
    floats(target).set(floats(source), start * (target.dims[1] ?? 0));
  }

  gatherRows(
    source: BackendTensor,
    rows: Int32Array<ArrayBuffer>,
    dims: readonly [number, number, number],
  ): BackendTensor {
    const width = dims[2];
    const from = floats(source);
    const result = new Float32Array(elements(dims));
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] ?? -1;
      if (row < 0) continue;
      // A loop: for rows of some hundred numbers, set() over a subarray takes several times as long.
      for (let h = 0, at = i * width, source = row * width; h < width; h++) result[at + h] = from[source + h] ?? 0;
    }
    return new HostTensor('float32', result, dims);
  }

  scatterAddRows(
    target: BackendTensor,
    rows: Int32Array<ArrayBuffer>,
    factors: Float32Array<ArrayBuffer>,
    values: BackendTensor,
  ): void {
    const width = target.dims[1] ?? 0;
    const into = floats(target);
    const from = floats(values);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] ?? -1;
      if (row < 0) continue;
      const factor = factors[i] ?? 0;
      const to = row * width;
      const at = i * width;
      for (let h = 0; h < width; h++) into[to + h] = (into[to + h] ?? 0) + factor * (from[at + h] ?? 0);
    }
  }

  async read(tensor: BackendTensor): Promise<Float32Array<ArrayBuffer>> {
    return floats(tensor).slice();
  }

  async close(): Promise<void> {}
}
