import { StudioError } from '../base/errors.ts';
import type { LoadedWeight } from '../checkpoint/read-weights.ts';
import { BufferPool } from './buffer-pool.ts';
import type {
  BackendDescription,
  BackendGraph,
  BackendLimits,
  BackendTensor,
  BackendTensorType,
  HostArrays,
  InferenceBackend,
} from './inference-backend.ts';
import { StageMeter } from './stage-meter.ts';
import { IN_PLACE, type WeightConverter } from './weight-converter.ts';
import { decodeStacks, stackBytes, stackDims, type WeightStack } from './weight-stack.ts';

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
  #reuse: ((buffer: ArrayBuffer) => void) | undefined;

  /** `reuse` takes the memory once the tensor is disposed of; without it the garbage collector does. */
  constructor(
    type: BackendTensorType,
    data: HostArrays[BackendTensorType],
    dims: readonly number[],
    reuse?: (buffer: ArrayBuffer) => void,
  ) {
    this.type = type;
    this.data = data;
    this.dims = dims;
    this.#reuse = reuse;
  }

  /** The same data under other dims, which is disposed of in this tensor's place. */
  view(dims: readonly number[]): HostTensor {
    const reuse = this.#reuse;
    this.#reuse = undefined;
    return new HostTensor(this.type, this.data, dims, reuse);
  }

  dispose(): void {
    this.#reuse?.(this.data.buffer);
    this.#reuse = undefined;
  }
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
  readonly stages = new StageMeter();
  readonly #runtime: SessionRuntime;
  readonly #converter: WeightConverter;
  readonly #pool = new BufferPool();

  /** `converter` decodes the weights of uploadStacks and is closed with the backend. */
  constructor(
    runtime: SessionRuntime,
    about: BackendDescription,
    limits: BackendLimits,
    converter: WeightConverter = IN_PLACE,
  ) {
    this.#runtime = runtime;
    this.about = about;
    this.limits = limits;
    this.#converter = converter;
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
    const { stages } = this;
    return {
      async run(inputs, outputs) {
        const values = Object.fromEntries(Object.entries(inputs).map(([key, tensor]) => [key, hostTensor(tensor)]));
        const results = await stages
          .during('compute', () => session.run(values, outputs))
          .catch((cause: unknown) => {
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
    const [data = new Float32Array()] = decodeStacks([{ weights }]);
    return new HostTensor('float32', data, stackDims({ weights }));
  }

  async uploadStacks(stacks: readonly WeightStack[]): Promise<BackendTensor[]> {
    const dims = stacks.map(stackDims);
    const memory = stacks.map((stack) => this.#pool.take(stackBytes(stack)));
    const { arrays, milliseconds } = await this.#converter.convert(stacks, memory);
    this.stages.add('convert', milliseconds);
    const reuse = (buffer: ArrayBuffer): void => this.#pool.give(buffer);
    return arrays.map((data, index) => new HostTensor('float32', data, dims[index] ?? [], reuse));
  }

  zeros(dims: readonly number[]): BackendTensor {
    return new HostTensor('float32', new Float32Array(elements(dims)), dims);
  }

  view(tensor: BackendTensor, dims: readonly number[]): BackendTensor {
    return hostTensor(tensor).view(dims);
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
    this.stages.begin('compute');
    const width = dims[2];
    const from = floats(source);
    const result = new Float32Array(elements(dims));
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] ?? -1;
      if (row < 0) continue;
      // A loop: for rows of some hundred numbers, set() over a subarray takes several times as long.
      for (let h = 0, at = i * width, source = row * width; h < width; h++) result[at + h] = from[source + h] ?? 0;
    }
    this.stages.end('compute');
    return new HostTensor('float32', result, dims);
  }

  scatterAddRows(
    target: BackendTensor,
    rows: Int32Array<ArrayBuffer>,
    factors: Float32Array<ArrayBuffer>,
    values: BackendTensor,
  ): void {
    this.stages.begin('compute');
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
    this.stages.end('compute');
  }

  async read(tensor: BackendTensor): Promise<Float32Array<ArrayBuffer>> {
    return floats(tensor).slice();
  }

  async close(): Promise<void> {
    this.#converter.close();
  }
}
