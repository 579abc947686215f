import { FP8_E4M3, FP8_E5M2 } from '../src/core/base/small-formats.ts';
import type { LoadedWeight } from '../src/core/checkpoint/read-weights.ts';
import { INT8, scaleGridOf, scalesOf } from '../src/core/quantisation/decode-weight.ts';
import { integerTables } from '../src/core/quantisation/group-integers.ts';
import { BYTES, HALVES, INTEGERS, MXFP4 } from './weight-shaders.ts';

const SHADERS = { halves: HALVES, bytes: BYTES, mxfp4: MXFP4, integers: INTEGERS } as const;
const WORD_BYTES = 4;
const GROUP_SIZE = 64;
const MAX_GROUPS = 65_535;
/** Products with scales of another size could be subnormal, which a device may take for zero, or overflow. */
const [SMALLEST_SCALE, LARGEST_SCALE] = [2 ** -100, 2 ** 100];

type Data = Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

/** The uniform of the shaders, but for the offset; what a shader does not use is 0. */
interface Shape {
  readonly rows?: number;
  readonly columns?: number;
  readonly blockRows?: number;
  readonly blockColumns?: number;
  readonly perRow?: number;
  readonly perMatrix?: number;
  readonly bits?: number;
  readonly variant?: number;
  readonly wordsPerRow?: number;
  readonly zeroCount?: number;
  readonly groupStride?: number;
}

/** What is to be uploaded and run for a weight. */
type Plan =
  | { readonly kind: 'copy'; readonly bytes: Uint8Array<ArrayBuffer> }
  | {
      readonly kind: keyof typeof SHADERS;
      readonly stored: Uint8Array<ArrayBuffer>;
      readonly tables: readonly Data[];
      readonly shape: Shape;
    };

function numbersOf({ shape }: LoadedWeight): number {
  return shape.reduce((product, length) => product * length, 1);
}

function inRange(scales: Float32Array): boolean {
  return scales.every((scale) => {
    const size = Math.abs(scale);
    return size === 0 || (size >= SMALLEST_SCALE && size <= LARGEST_SCALE);
  });
}

function planPlain({ parts }: LoadedWeight): Plan | undefined {
  const weight = parts['weight'];
  if (weight?.dtype === 'F32') return { kind: 'copy', bytes: weight.bytes };
  if (weight?.dtype !== 'BF16' && weight?.dtype !== 'F16') return undefined;
  return { kind: 'halves', stored: weight.bytes, tables: [], shape: { variant: weight.dtype === 'BF16' ? 0 : 1 } };
}

function planScaled(weight: LoadedWeight): Plan | undefined {
  const { weight: stored, scale, zeros } = weight.parts;
  if (stored === undefined || scale === undefined || zeros !== undefined) return undefined;
  const scales = scalesOf(scale);
  if (!inRange(scales)) return undefined;
  const grid = scaleGridOf(weight, scales.length);
  const table = stored.dtype === 'I8' ? INT8 : stored.dtype === 'F8_E5M2' ? FP8_E5M2 : FP8_E4M3;
  return {
    kind: 'bytes',
    stored: stored.bytes,
    tables: [scales, Float32Array.from(table)],
    shape: {
      rows: weight.shape.at(-2) ?? 1,
      columns: weight.shape.at(-1) ?? 1,
      blockRows: grid.rows,
      blockColumns: grid.columns,
      perRow: grid.perRow,
      perMatrix: grid.perMatrix,
    },
  };
}

function planMxfp4({ parts }: LoadedWeight): Plan | undefined {
  const { blocks, scales } = parts;
  if (blocks === undefined || scales === undefined) return undefined;
  return { kind: 'mxfp4', stored: blocks.bytes, tables: [scales.bytes], shape: {} };
}

function planIntegers(weight: LoadedWeight): Plan | undefined {
  const packed = weight.scheme === 'packed';
  const stored = weight.parts[packed ? 'packed' : 'qweight'];
  if (stored === undefined) return undefined;
  const { scales, zeros, groups, groupCount } = integerTables(weight);
  if (!inRange(scales)) return undefined;
  const [rows, columns] = [weight.shape.at(-2) ?? 1, weight.shape.at(-1) ?? 1];
  const perWord = 32 / weight.bits;
  return {
    kind: 'integers',
    stored: stored.bytes,
    tables: [scales, zeros, groups],
    shape: {
      rows,
      columns,
      perRow: groupCount,
      bits: weight.bits,
      variant: packed ? 0 : weight.scheme === 'gptq' ? 1 : 2,
      wordsPerRow: packed ? Math.ceil(columns / perWord) : rows / perWord,
      zeroCount: zeros.length,
      groupStride: groups.length > columns ? columns : 0,
    },
  };
}

function planOf(weight: LoadedWeight): Plan | undefined {
  switch (weight.scheme) {
    case 'plain':
      return planPlain(weight);
    case 'fp8':
    case 'int8':
      return planScaled(weight);
    case 'mxfp4':
      return planMxfp4(weight);
    case 'gptq':
    case 'awq':
    case 'packed':
      return planIntegers(weight);
  }
}

/**
 * Decodes weights on the device: what goes up is the checkpoint's own bytes, with the scales as f32. The numbers are, bit for
 * bit, those of decodeWeight.
 */
export class WeightKernels {
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<keyof typeof SHADERS, GPUComputePipeline>();
  readonly #plans = new WeakMap<LoadedWeight, Plan>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  #plan(weight: LoadedWeight): Plan | undefined {
    const plan = this.#plans.get(weight) ?? planOf(weight);
    if (plan !== undefined) this.#plans.set(weight, plan);
    return plan;
  }

  /**
   * Whether decodeInto takes this weight: not integers of eight bits with zero points, not scales beyond 2^±100, not
   * tensors that the device cannot bind.
   * @throws StudioError `unsupported-quantisation` where decodeWeight does.
   */
  decodes(weight: LoadedWeight): boolean {
    const plan = this.#plan(weight);
    if (plan === undefined) return false;
    if (plan.kind === 'copy') return plan.bytes.byteLength > 0;
    const largest = this.#device.limits.maxStorageBufferBindingSize;
    return plan.stored.byteLength > 0 && [plan.stored, ...plan.tables].every((data) => data.byteLength <= largest);
  }

  /**
   * Decodes a weight into f32s of `target`, row-major from `elementOffset` on. `target` is a storage buffer, as large as the
   * device binds at most, that may be copied to.
   * @throws RangeError when `decodes` is false.
   */
  decodeInto(weight: LoadedWeight, target: GPUBuffer, elementOffset: number): void {
    const plan = this.#plan(weight);
    if (plan === undefined) throw new RangeError(`"${weight.name}" is not decoded on the device`);
    this.#plans.delete(weight);
    if (plan.kind === 'copy') {
      this.#device.queue.writeBuffer(target, elementOffset * WORD_BYTES, plan.bytes);
      return;
    }
    const words = Math.ceil(plan.stored.byteLength / WORD_BYTES);
    const uniform = this.#upload(
      uniformOf(plan.shape, elementOffset, words, numbersOf(weight)),
      GPUBufferUsage.UNIFORM,
    );
    const buffers = [plan.stored, ...plan.tables].map((data) => this.#upload(data, GPUBufferUsage.STORAGE));
    const pipeline = this.#pipeline(plan.kind);
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    const entries = [target, uniform, ...buffers].map((buffer, binding) => ({ binding, resource: { buffer } }));
    pass.setBindGroup(0, this.#device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    const groups = Math.ceil(words / GROUP_SIZE);
    pass.dispatchWorkgroups(Math.min(groups, MAX_GROUPS), Math.ceil(groups / MAX_GROUPS));
    pass.end();
    this.#device.queue.submit([encoder.finish()]);
    for (const buffer of [uniform, ...buffers]) buffer.destroy();
  }

  #pipeline(kind: keyof typeof SHADERS): GPUComputePipeline {
    const known = this.#pipelines.get(kind);
    if (known !== undefined) return known;
    const pipeline = this.#device.createComputePipeline({
      layout: 'auto',
      compute: { module: this.#device.createShaderModule({ code: SHADERS[kind] }), entryPoint: 'main' },
    });
    this.#pipelines.set(kind, pipeline);
    return pipeline;
  }

  #upload(data: Data, usage: number): GPUBuffer {
    const size = Math.ceil(data.byteLength / WORD_BYTES) * WORD_BYTES;
    const buffer = this.#device.createBuffer({ size, usage, mappedAtCreation: true });
    new Uint8Array(buffer.getMappedRange()).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    buffer.unmap();
    return buffer;
  }
}

function uniformOf(shape: Shape, offset: number, words: number, numbers: number): Uint32Array<ArrayBuffer> {
  // The order of `Shape` in the shaders.
  return Uint32Array.of(
    offset,
    words,
    numbers,
    shape.rows ?? 0,
    shape.columns ?? 0,
    shape.blockRows ?? 0,
    shape.blockColumns ?? 0,
    shape.perRow ?? 0,
    shape.perMatrix ?? 0,
    shape.bits ?? 0,
    shape.variant ?? 0,
    shape.wordsPerRow ?? 0,
    shape.zeroCount ?? 0,
    shape.groupStride ?? 0,
    0,
    0,
  );
}
