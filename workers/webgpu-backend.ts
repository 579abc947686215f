import { StudioError } from '../src/core/base/errors.ts';
import type {
  BackendDescription,
  BackendGraph,
  BackendLimits,
  BackendTensor,
  BackendTensorType,
  HostArrays,
  InferenceBackend,
} from '../src/core/calibration/inference-backend.ts';
import { StageMeter } from '../src/core/calibration/stage-meter.ts';
import { stackDims, type WeightStack } from '../src/core/calibration/weight-stack.ts';
import type { LoadedWeight } from '../src/core/checkpoint/read-weights.ts';
import { gpuLimits, type OpenedGpu } from './gpu-device.ts';
import { loadOrt, type OrtModule } from './ort-runtime.ts';
import { RowKernels } from './row-kernels.ts';
import { bufferBytes, WeightUploads } from './weight-uploads.ts';

const FLOAT_BYTES = 4;

/** Floats lie in buffers of the device; the few integers that steer a graph stay on the host. */
class GpuTensor implements BackendTensor {
  readonly type: BackendTensorType;
  readonly dims: readonly number[];
  readonly value: import('onnxruntime-web').Tensor;
  readonly buffer: GPUBuffer | undefined;
  readonly #dispose: () => void;

  constructor(
    type: BackendTensorType,
    dims: readonly number[],
    value: import('onnxruntime-web').Tensor,
    buffer: GPUBuffer | undefined,
    dispose: () => void,
  ) {
    this.type = type;
    this.dims = dims;
    this.value = value;
    this.buffer = buffer;
    this.#dispose = dispose;
  }

  dispose(): void {
    this.#dispose();
  }
}

function gpuTensor(tensor: BackendTensor): GpuTensor {
  if (!(tensor instanceof GpuTensor))
    throw new TypeError('a tensor of another backend was given to the WebGPU backend');
  return tensor;
}

function bufferOf(tensor: BackendTensor): GPUBuffer {
  const { buffer } = gpuTensor(tensor);
  if (buffer === undefined) throw new TypeError('a tensor on the device was expected');
  return buffer;
}

function elements(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/** Graphs on onnxruntime's native WebGPU provider; activations stay on the device from layer input to layer output. */
export class WebGpuBackend implements InferenceBackend {
  readonly about: BackendDescription;
  readonly limits: BackendLimits;
  readonly stages = new StageMeter();
  readonly #ort: OrtModule;
  readonly #device: GPUDevice;
  readonly #kernels: RowKernels;
  readonly #weights: WeightUploads;
  #lost: string | undefined;
  #fault: string | undefined;
  /** onnxruntime must not be entered twice at once: two runs in flight block the worker for ever. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(ort: OrtModule, gpu: OpenedGpu, hiddenSize: number, notes: readonly string[]) {
    this.#ort = ort;
    this.#device = gpu.device;
    this.#kernels = new RowKernels(gpu.device);
    this.#weights = new WeightUploads(gpu.device, {
      begin: () => this.stages.begin('convert'),
      end: () => this.stages.end('convert'),
    });
    this.about = { id: 'webgpu', description: `WebGPU on ${gpu.name}${gpu.isSoftware ? ' (software)' : ''}`, notes };
    this.limits = gpuLimits(gpu.device, hiddenSize);
    void gpu.device.lost.then(({ message }) => {
      this.#lost = message || 'the device was lost';
    });
    // Without this a buffer that could not be had, or a refused command, would show as zeros in the results.
    gpu.device.addEventListener('uncapturederror', ({ error }) => {
      this.#fault ??= error.message;
    });
  }

  static async open(gpu: OpenedGpu, hiddenSize: number, notes: readonly string[]): Promise<WebGpuBackend> {
    return new WebGpuBackend(await loadOrt(), gpu, hiddenSize, notes);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #failure(what: string, cause: unknown): StudioError {
    const lost = this.#lost !== undefined;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new StudioError(
      'backend',
      lost ? 'device-lost' : 'graph-failed',
      lost
        ? `The graphics processor was lost (${this.#lost}).`
        : `The ${what} graph failed on ${this.about.description}: ${reason}`,
      {
        nextStep: 'Start the calibration again: finished layers are kept. If it happens again, choose WebAssembly.',
        details: { graph: what, backend: 'webgpu' },
        cause,
      },
    );
  }

  /** @throws StudioError when the device is lost or refused a command since it was opened. */
  #check(what: string): void {
    const cause = this.#lost ?? this.#fault;
    if (cause !== undefined) throw this.#failure(what, cause);
  }

  async loadGraph(name: string, model: Uint8Array<ArrayBuffer>): Promise<BackendGraph> {
    const session = await this.#inTurn(() =>
      this.#ort.InferenceSession.create(model, {
        executionProviders: [
          {
            name: 'webgpu',
            device: this.#device,
          } as import('onnxruntime-web').InferenceSession.ExecutionProviderConfig,
        ],
        preferredOutputLocation: 'gpu-buffer',
        extra: { session: { disable_cpu_ep_fallback: '1' } },
      }),
    ).catch((cause: unknown) => {
      throw this.#failure(name, cause);
    });
    return {
      run: (inputs, outputs) =>
        this.#inTurn(async () => {
          this.#check(name);
          const feeds = Object.fromEntries(
            Object.entries(inputs).map(([key, tensor]) => [key, gpuTensor(tensor).value]),
          );
          const run = () => session.run(feeds, [...outputs]);
          const results = await this.stages.during('compute', run).catch((cause: unknown) => {
            throw this.#failure(name, cause);
          });
          const tensors = outputs.map((output) => {
            const value = results[output];
            if (value === undefined) throw this.#failure(name, `no output "${output}"`);
            return [
              output,
              new GpuTensor('float32', value.dims, value, value.gpuBuffer as GPUBuffer, () => value.dispose()),
            ] as const;
          });
          return Object.fromEntries(tensors) as Record<(typeof outputs)[number], GpuTensor>;
        }),
      release: () => this.#inTurn(() => session.release()),
    };
  }

  #wrap(buffer: GPUBuffer, dims: readonly number[]): GpuTensor {
    const value = this.#ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: [...dims] });
    return new GpuTensor('float32', dims, value, buffer, () => buffer.destroy());
  }

  #create(dims: readonly number[], mapped = false): GPUBuffer {
    return this.#device.createBuffer({
      size: bufferBytes(dims),
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      mappedAtCreation: mapped,
    });
  }

  upload<Type extends BackendTensorType>(type: Type, data: HostArrays[Type], dims: readonly number[]): BackendTensor {
    if (!(data instanceof Float32Array)) {
      return new GpuTensor(type, dims, new this.#ort.Tensor(type, data, dims), undefined, () => {});
    }
    const buffer = this.#create(dims, true);
    new Float32Array(buffer.getMappedRange()).set(data);
    buffer.unmap();
    return this.#wrap(buffer, dims);
  }

  async uploadWeights(weights: readonly LoadedWeight[]): Promise<BackendTensor> {
    const [tensor] = await this.uploadStacks([{ weights }]);
    if (tensor === undefined) throw new RangeError('an upload gave no tensor');
    return tensor;
  }

  async uploadStacks(stacks: readonly WeightStack[]): Promise<BackendTensor[]> {
    this.#check('weights');
    const buffers = await this.#weights.upload(stacks).catch((cause: unknown) => {
      throw cause instanceof StudioError ? cause : this.#failure('weights', cause);
    });
    return stacks.flatMap((stack, index) => {
      const buffer = buffers[index];
      return buffer === undefined ? [] : [this.#wrap(buffer, stackDims(stack))];
    });
  }

  zeros(dims: readonly number[]): BackendTensor {
    return this.#wrap(this.#create(dims), dims);
  }

  view(tensor: BackendTensor, dims: readonly number[]): BackendTensor {
    return this.#wrap(bufferOf(tensor), dims);
  }

  #copy(from: GPUBuffer, fromByte: number, to: GPUBuffer, toByte: number, bytes: number): void {
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(from, fromByte, to, toByte, bytes);
    this.#device.queue.submit([encoder.finish()]);
  }

  rows(source: BackendTensor, start: number, count: number, dims: readonly number[]): BackendTensor {
    const rowBytes = (source.dims[1] ?? 0) * FLOAT_BYTES;
    const buffer = this.#create(dims);
    this.#copy(bufferOf(source), start * rowBytes, buffer, 0, count * rowBytes);
    return this.#wrap(buffer, dims);
  }

  writeRows(target: BackendTensor, start: number, source: BackendTensor): void {
    const rowBytes = (target.dims[1] ?? 0) * FLOAT_BYTES;
    this.#copy(bufferOf(source), 0, bufferOf(target), start * rowBytes, elements(source.dims) * FLOAT_BYTES);
  }

  gatherRows(
    source: BackendTensor,
    rows: Int32Array<ArrayBuffer>,
    dims: readonly [number, number, number],
  ): BackendTensor {
    const buffer = this.#create(dims);
    this.#kernels.gather(bufferOf(source), rows, buffer, dims[2]);
    return this.#wrap(buffer, dims);
  }

  scatterAddRows(
    target: BackendTensor,
    rows: Int32Array<ArrayBuffer>,
    factors: Float32Array<ArrayBuffer>,
    values: BackendTensor,
  ): void {
    this.#kernels.scatterAdd(
      bufferOf(target),
      rows,
      factors,
      bufferOf(values),
      target.dims[1] ?? 0,
      values.dims[0] ?? 1,
    );
  }

  read(tensor: BackendTensor): Promise<Float32Array<ArrayBuffer>> {
    return this.#inTurn(async () => {
      const bytes = elements(tensor.dims) * FLOAT_BYTES;
      const staging = this.#device.createBuffer({
        size: Math.max(16, bytes),
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      });
      try {
        this.#copy(bufferOf(tensor), 0, staging, 0, bytes);
        const mapped = () => staging.mapAsync(GPUMapMode.READ, 0, bytes);
        await this.stages.during('compute', mapped).catch((cause: unknown) => {
          throw this.#failure('read-back', cause);
        });
        this.#check('read-back');
        return new Float32Array(staging.getMappedRange(0, bytes).slice(0));
      } finally {
        staging.destroy();
      }
    });
  }

  async close(): Promise<void> {
    this.#device.destroy();
  }
}
