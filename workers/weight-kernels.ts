import { FP8_E4M3, FP8_E5M2 } from '../src/core/base/small-formats.ts';
import { numbersOf, type WeightCut } from '../src/core/calibration/weight-stack.ts';
import type { LoadedWeight } from '../src/core/checkpoint/read-weights.ts';
import { INT8, scaleGridOf, scalesOf } from '../src/core/quantisation/decode-weight.ts';
import { integerTables } from '../src/core/quantisation/group-integers.ts';
import type { WeightRing } from './weight-ring.ts';
import { BYTES, CUT, HALVES, INTEGERS, MXFP4 } from './weight-shaders.ts';

const SHADERS = { halves: HALVES, bytes: BYTES, mxfp4: MXFP4, integers: INTEGERS, cut: CUT } as const;
const WORD_BYTES = 4;
const GROUP_SIZE = 64;
const MAX_GROUPS = 65_535;
/** No device asks for more. */
const BINDING_ALIGNMENT = 256;
const UNIFORM = new Uint32Array(16);
/** What the scratch buffer may keep between two uploads. */
const KEPT_BYTES = 64 * 1024 * 1024;
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
 * Decodes weights on the device: what goes up, through the ring, is the checkpoint's own bytes, with the scales as f32. The numbers are, bit for
 * bit, those of decodeWeight.
 */
export class WeightKernels {
  readonly #device: GPUDevice;
  readonly #ring: WeightRing;
  readonly #pipelines = new Map<keyof typeof SHADERS, GPUComputePipeline>();
  readonly #plans = new WeakMap<LoadedWeight, Plan>();

  #scratch: GPUBuffer | undefined;

  constructor(device: GPUDevice, ring: WeightRing) {
    this.#device = device;
    this.#ring = ring;
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
    const { maxStorageBufferBindingSize, maxBufferSize } = this.#device.limits;
    const data = [plan.stored, ...plan.tables];
    return (
      plan.stored.byteLength > 0 &&
      data.every(({ byteLength }) => byteLength <= maxStorageBufferBindingSize) &&
      sectionsOf([UNIFORM, ...data]).size <= maxBufferSize
    );
  }

  /**
   * Decodes a weight into f32s of `target`, row-major from `elementOffset` on: with the ring's next submit. `target` is a
   * storage buffer, as large as the device binds at most, that may be copied to.
   * @throws RangeError when `decodes` is false.
   */
  async decodeInto(weight: LoadedWeight, target: GPUBuffer, elementOffset: number): Promise<void> {
    const plan = this.#plan(weight);
    if (plan === undefined) throw new RangeError(`"${weight.name}" is not decoded on the device`);
    this.#plans.delete(weight);
    if (plan.kind === 'copy') return this.#ring.write(target, elementOffset * WORD_BYTES, plan.bytes);
    const words = Math.ceil(plan.stored.byteLength / WORD_BYTES);
    const uniform = uniformOf(plan.shape, elementOffset, words, numbersOf(weight));
    await this.#run(plan.kind, target, [uniform, plan.stored, ...plan.tables], words);
  }

  /** Copies a matrix out of the f32s of `source` to `target`, row-major from `elementOffset` on; bound and run likewise. */
  async cutInto(source: GPUBuffer, cut: WeightCut, target: GPUBuffer, elementOffset: number): Promise<void> {
    const { rows, columns, first, rowStride, columnStride } = cut;
    const numbers = rows * columns;
    const uniform = Uint32Array.of(elementOffset, numbers, columns, first, rowStride, columnStride, 0, 0);
    await this.#run('cut', target, [uniform], numbers, source);
  }

  /** Frees what lies on the device between two uploads, where it is much. Only after a submit. */
  trim(): void {
    if (this.#scratch === undefined || this.#scratch.size <= KEPT_BYTES) return;
    this.#scratch.destroy();
    this.#scratch = undefined;
  }

  /** Writes `data`, the uniform first, to the scratch buffer and records a pass over it. */
  async #run(
    kind: keyof typeof SHADERS,
    target: GPUBuffer,
    data: readonly Data[],
    invocations: number,
    source?: GPUBuffer,
  ): Promise<void> {
    const { offsets, size } = sectionsOf(data);
    const scratch = this.#scratchOf(size);
    // The queue is in order: the pass that read the bytes before these has run when they arrive.
    for (const [index, part] of data.entries()) await this.#ring.write(scratch, offsets[index] ?? 0, bytesOf(part));
    const sections = data.map((part, index) => ({
      buffer: scratch,
      offset: offsets[index] ?? 0,
      size: Math.ceil(part.byteLength / WORD_BYTES) * WORD_BYTES,
    }));
    const resources = [{ buffer: target }, ...sections, ...(source === undefined ? [] : [{ buffer: source }])];
    const pipeline = this.#pipeline(kind);
    const pass = this.#ring.encoder.beginComputePass();
    pass.setPipeline(pipeline);
    const entries = resources.map((resource, binding) => ({ binding, resource }));
    pass.setBindGroup(0, this.#device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    const groups = Math.ceil(invocations / GROUP_SIZE);
    pass.dispatchWorkgroups(Math.min(groups, MAX_GROUPS), Math.ceil(groups / MAX_GROUPS));
    pass.end();
  }

  /** One buffer for the stored bytes of all weights in turn, as large as the largest so far. */
  #scratchOf(size: number): GPUBuffer {
    if (this.#scratch !== undefined && this.#scratch.size >= size) return this.#scratch;
    // Commands that name the old one must be with the device before it goes.
    this.#ring.submit();
    this.#scratch?.destroy();
    this.#scratch = this.#device.createBuffer({
      size,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    return this.#scratch;
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
}

function bytesOf({ buffer, byteOffset, byteLength }: Data): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Where pieces of data lie in one buffer, each where a binding may begin. */
function sectionsOf(data: readonly Data[]): { readonly offsets: readonly number[]; readonly size: number } {
  const offsets: number[] = [];
  let size = 0;
  for (const { byteLength } of data) {
    offsets.push(size);
    size += Math.ceil(byteLength / BINDING_ALIGNMENT) * BINDING_ALIGNMENT;
  }
  return { offsets, size };
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
