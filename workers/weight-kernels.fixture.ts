import type { ReadonlyJsonObject } from '../src/core/base/json.ts';
import { fusedCuts } from '../src/core/calibration/fused-expert.ts';
import { decodeStacks, type WeightStack } from '../src/core/calibration/weight-stack.ts';
import { decodeStored, type LoadedWeight } from '../src/core/checkpoint/read-weights.ts';
import { readQuantisation } from '../src/core/quantisation/quantisation-config.ts';
import { storedWeight } from '../src/core/quantisation/stored-weight.ts';
import type { TensorBytes } from '../src/core/quantisation/weight-scheme.ts';
import type { Dtype } from '../src/core/safetensors/dtype.ts';
import { WeightKernels } from './weight-kernels.ts';
import { WeightRing } from './weight-ring.ts';
import { WeightUploads } from './weight-uploads.ts';

/** A case of src/core/quantisation/fixtures/quantised-weights.json. */
export interface StoredCase {
  readonly name: string;
  readonly config: ReadonlyJsonObject;
  readonly tensors: Readonly<Record<string, { dtype: Dtype; shape: readonly number[]; data: string }>>;
}

/** What the device made of a weight, held against decodeWeight. */
export interface Comparison {
  readonly name: string;
  readonly decodes: boolean;
  readonly numbers: number;
  /** Numbers whose bits differ; a NaN equals a NaN. */
  readonly different: number;
  /** Numbers before and behind the weight in the same buffer that were written over. */
  readonly spilt: number;
}

type Parts = readonly (readonly [ending: string, tensor: TensorBytes])[];

function weightOf(name: string, parts: Parts, config: ReadonlyJsonObject = {}): LoadedWeight {
  return { ...storedWeight(name, new Map(parts), readQuantisation(config)), name };
}

function tensor(name: string, dtype: Dtype, shape: readonly number[], bytes: Uint8Array<ArrayBuffer>): TensorBytes {
  return { name, dtype, shape, bytes };
}

function fromStored({ name, config, tensors }: StoredCase): LoadedWeight {
  const parts = Object.entries(tensors).map(
    ([ending, { dtype, shape, data }]) =>
      [
        ending,
        tensor(
          ending,
          dtype,
          shape,
          Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)),
        ),
      ] as const,
  );
  return weightOf(name, parts, config);
}

/** Every 16-bit pattern, over and over. */
function patterns(count: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint16Array.from({ length: count }, (_, at) => at & 0xffff).buffer);
}

/** Every value of a format under scales of both signs, none, the smallest and the largest that the device takes. */
function scaledBytes(name: string, dtype: Dtype): LoadedWeight {
  const scales = Float32Array.of(1, -0.3, 0, -0, 2 ** -100, 2 ** 100, 1.1e-5, -7.77);
  const bytes = Uint8Array.from({ length: 256 * scales.length }, (_, at) => at & 255);
  return weightOf(name, [
    ['weight', tensor('weight', dtype, [scales.length, 256], bytes)],
    ['weight_scale', tensor('weight_scale', 'F32', [scales.length, 1], new Uint8Array(scales.buffer))],
  ]);
}

/** What no checkpoint of reasonable size holds: every pattern, every scale, more words than one row of workgroups takes. */
function exhaustive(): LoadedWeight[] {
  const every4 = Uint8Array.from({ length: 256 * 16 }, (_, at) => ((at & 7) * 34 + 16) & 255);
  const exponents = Uint8Array.from({ length: 256 }, (_, at) => at);
  const plain = (name: string, dtype: Dtype, rows: number): LoadedWeight =>
    weightOf(name, [['weight', tensor('weight', dtype, [rows, 257], patterns(rows * 257))]]);
  return [
    plain('every BF16, an odd number of them', 'BF16', 257),
    plain('every F16, an odd number of them', 'F16', 257),
    scaledBytes('every FP8 E4M3', 'F8_E4M3'),
    scaledBytes('every FP8 E5M2', 'F8_E5M2'),
    scaledBytes('every int8', 'I8'),
    weightOf('every FP4 under every E8M0', [
      ['blocks', tensor('blocks', 'U8', [256, 1, 16], every4)],
      ['scales', tensor('scales', 'U8', [256, 1], exponents)],
    ]),
    plain('more than 65,535 workgroups', 'BF16', 33_000),
  ];
}

async function read(device: GPUDevice, buffer: GPUBuffer): Promise<Float32Array> {
  const staging = device.createBuffer({ size: buffer.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const values = new Float32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return values;
}

function countDifferent(actual: Float32Array, expected: Float32Array): number {
  let different = 0;
  for (let at = 0; at < expected.length; at++) if (!Object.is(actual[at], expected[at])) different += 1;
  return different;
}

const MARGIN = 3;
/** So small that most weights come in pieces, and pieces end where no binding may begin. */
const SMALL_RING = { count: 3, bytes: 60_004 };
const UNTOUCHED = 12_345.5;

async function compare(
  device: GPUDevice,
  ring: WeightRing,
  kernels: WeightKernels,
  weight: LoadedWeight,
): Promise<Comparison> {
  const expected = decodeStored(weight);
  const numbers = expected.length;
  if (!kernels.decodes(weight)) return { name: weight.name, decodes: false, numbers, different: 0, spilt: 0 };
  const around = new Float32Array(numbers + 2 * MARGIN).fill(UNTOUCHED);
  const target = device.createBuffer({
    size: around.byteLength,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(target, 0, around);
  await kernels.decodeInto(weight, target, MARGIN);
  ring.submit();
  const values = await read(device, target);
  target.destroy();
  const margins = [...values.subarray(0, MARGIN), ...values.subarray(MARGIN + numbers)];
  return {
    name: weight.name,
    decodes: true,
    numbers,
    different: countDifferent(values.subarray(MARGIN, MARGIN + numbers), expected),
    spilt: margins.filter((value) => value !== UNTOUCHED).length,
  };
}

/** Fused experts in each orientation, three of a group; their bytes end in the middle of a word. */
function fusedStacks(): (readonly [name: string, stacks: readonly WeightStack[]])[] {
  const [hiddenSize, innerSize] = [7, 5];
  const bf16 = (name: string, shape: readonly number[], seed: number): LoadedWeight => {
    const numbers = shape.reduce((product, size) => product * size, 1);
    const values = Uint16Array.from({ length: numbers }, (_, at) => 0x3f00 + ((at * seed) & 0x3ff));
    return weightOf(name, [['weight', tensor('weight', 'BF16', shape, new Uint8Array(values.buffer))]]);
  };
  return (['out-in', 'in-out'] as const).flatMap((orientation) =>
    [false, true].map((interleaved) => {
      const cuts = fusedCuts({ hiddenSize, innerSize, orientation, interleaved });
      const turn = (out: number, into: number): number[] => (orientation === 'out-in' ? [out, into] : [into, out]);
      const gateUp = [3, 5, 7].map((seed) => bf16(`gate_up ${seed}`, turn(2 * innerSize, hiddenSize), seed));
      const down = [11, 13, 17].map((seed) => bf16(`down ${seed}`, turn(hiddenSize, innerSize), seed));
      const bias = [19, 23, 29].map((seed) => bf16(`bias ${seed}`, [2 * innerSize], seed));
      const stacks: WeightStack[] = [
        { weights: gateUp, cut: cuts.gate },
        { weights: gateUp, cut: cuts.up },
        { weights: bias, cut: cuts.gateBias },
        { weights: bias, cut: cuts.upBias },
        { weights: down, cut: cuts.down },
        { weights: gateUp },
      ];
      return [`fused ${orientation}${interleaved ? ', interleaved' : ''}`, stacks] as const;
    }),
  );
}

/** What the device decodes beside what the host must: scales beyond its range. */
function mixedStack(): WeightStack {
  const bytes = Uint8Array.from({ length: 99 }, (_, at) => at);
  const scaled = (name: string, scale: number): LoadedWeight =>
    weightOf(name, [
      ['weight', tensor('weight', 'F8_E4M3', [3, 33], bytes)],
      ['weight_scale', tensor('weight_scale', 'F32', [1], new Uint8Array(Float32Array.of(scale).buffer))],
    ]);
  return { weights: [scaled('ordinary', 0.5), scaled('tiny', 2 ** -110), scaled('ordinary again', 3)] };
}

/** All uploads at once through one small ring, against the host's stacks. */
async function compareUploads(device: GPUDevice): Promise<Comparison[]> {
  const uploads = new WeightUploads(device, undefined, { count: 2, bytes: 100 });
  const all = [...fusedStacks(), ['a stack of which the host decodes one', [mixedStack()]] as const];
  const results = all.map(async ([name, stacks]): Promise<Comparison> => {
    const buffers = await uploads.upload(stacks);
    const expected = decodeStacks(stacks);
    let [numbers, different] = [0, 0];
    for (const [index, values] of expected.entries()) {
      const buffer = buffers[index];
      if (buffer === undefined) throw new Error('a stack without a buffer');
      numbers += values.length;
      different += countDifferent((await read(device, buffer)).subarray(0, values.length), values);
      buffer.destroy();
    }
    return { name, decodes: true, numbers, different, spilt: 0 };
  });
  return Promise.all(results);
}

/** Decodes every weight on the device and on the host. @throws Error when there is no device, or it reports an error. */
export async function compareKernels(stored: readonly StoredCase[]): Promise<Comparison[]> {
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error('no adapter');
  const device = await adapter.requestDevice();
  const errors: string[] = [];
  device.addEventListener('uncapturederror', ({ error }) => errors.push(error.message));
  const ring = new WeightRing(device, undefined, SMALL_RING);
  const kernels = new WeightKernels(device, ring);
  const results: Comparison[] = [];
  for (const weight of [...stored.map(fromStored), ...exhaustive()]) {
    results.push(await compare(device, ring, kernels, weight));
  }
  results.push(...(await compareUploads(device)));
  await device.queue.onSubmittedWorkDone();
  device.destroy();
  if (errors[0] !== undefined) throw new Error(errors[0]);
  return results;
}
