import {
  decodeInto,
  numbersOf,
  placeNumbers,
  placesOf,
  type StackPlace,
  stackDims,
  type WeightStack,
} from '../src/core/calibration/weight-stack.ts';
import type { LoadedWeight } from '../src/core/checkpoint/read-weights.ts';
import { WeightKernels } from './weight-kernels.ts';
import { type RingClock, type RingSize, WeightRing } from './weight-ring.ts';

const FLOAT_BYTES = 4;
/** What decoded weights that are still to be cut may keep of the device between two uploads. */
const KEPT_BYTES = 64 * 1024 * 1024;

/** Bytes of a buffer that holds `dims` of f32. */
export function bufferBytes(dims: readonly number[]): number {
  const numbers = dims.reduce((product, size) => product * size, 1);
  return Math.max(16, Math.ceil((numbers * FLOAT_BYTES) / 16) * 16);
}

/** Brings stacks of weights to the device as f32: decoded and cut there, or on the host where the device cannot. */
export class WeightUploads {
  readonly #device: GPUDevice;
  readonly #ring: WeightRing;
  readonly #kernels: WeightKernels;
  readonly #clock: RingClock | undefined;
  #decoded: GPUBuffer | undefined;
  /** One upload at a time: the ring's commands are in the order of its writes. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(device: GPUDevice, clock?: RingClock, size?: RingSize) {
    this.#device = device;
    this.#clock = clock;
    this.#ring = new WeightRing(device, clock, size);
    this.#kernels = new WeightKernels(device, this.#ring);
  }

  /**
   * A buffer for each stack, STORAGE | COPY_SRC | COPY_DST, with the numbers of its stackDims; what follows on the queue
   * sees them. @throws what mapAsync throws when the device is lost; StudioError as decodeWeight does.
   */
  upload(stacks: readonly WeightStack[]): Promise<GPUBuffer[]> {
    const result = this.#turn.then(() => this.#upload(stacks));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #upload(stacks: readonly WeightStack[]): Promise<GPUBuffer[]> {
    this.#clock?.begin();
    const targets = stacks.map((stack) => this.#create(stackDims(stack)));
    try {
      for (const [weight, places] of placesOf(stacks)) {
        if (this.#fits(weight, places, targets)) await this.#onDevice(weight, places, targets);
        else await this.#onHost(weight, places, targets);
      }
      this.#ring.submit();
      this.#kernels.trim();
      if ((this.#decoded?.size ?? 0) > KEPT_BYTES) this.#forgetDecoded();
      return targets;
    } catch (cause) {
      this.#ring.abandon();
      for (const target of targets) target.destroy();
      throw cause;
    } finally {
      this.#clock?.end();
    }
  }

  #create(dims: readonly number[]): GPUBuffer {
    return this.#device.createBuffer({
      size: bufferBytes(dims),
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
  }

  #fits(weight: LoadedWeight, places: readonly StackPlace[], targets: readonly GPUBuffer[]): boolean {
    const largest = this.#device.limits.maxStorageBufferBindingSize;
    const bound = [numbersOf(weight) * FLOAT_BYTES, ...places.map(({ stack }) => targets[stack]?.size ?? 0)];
    return bound.every((size) => size <= largest) && this.#kernels.decodes(weight);
  }

  async #onDevice(weight: LoadedWeight, places: readonly StackPlace[], targets: readonly GPUBuffer[]): Promise<void> {
    const whole = places.find(({ cut }) => cut === undefined);
    const target = targets[whole?.stack ?? -1];
    if (places.length === 1 && whole !== undefined && target !== undefined) {
      await this.#kernels.decodeInto(weight, target, whole.offset);
      return;
    }
    const numbers = numbersOf(weight);
    const decoded = this.#decodedOf(numbers);
    await this.#kernels.decodeInto(weight, decoded, 0);
    const all = { rows: 1, columns: numbers, first: 0, rowStride: numbers, columnStride: 1, numbers };
    for (const { stack, offset, cut } of places) {
      const to = targets[stack];
      if (to !== undefined) await this.#kernels.cutInto(decoded, cut ?? all, to, offset);
    }
  }

  #decodedOf(numbers: number): GPUBuffer {
    if (this.#decoded !== undefined && this.#decoded.size >= bufferBytes([numbers])) return this.#decoded;
    // Commands that name the old one must be with the device before it goes.
    this.#ring.submit();
    this.#forgetDecoded();
    this.#decoded = this.#create([numbers]);
    return this.#decoded;
  }

  #forgetDecoded(): void {
    this.#decoded?.destroy();
    this.#decoded = undefined;
  }

  async #onHost(weight: LoadedWeight, places: readonly StackPlace[], targets: readonly GPUBuffer[]): Promise<void> {
    const values = places.map((place) => new Float32Array(placeNumbers(weight, place)));
    decodeInto(weight, places, values);
    for (const [index, { stack, offset }] of places.entries()) {
      const [target, { buffer }] = [targets[stack], values[index] ?? new Float32Array()];
      if (target !== undefined) await this.#ring.write(target, offset * FLOAT_BYTES, new Uint8Array(buffer));
    }
  }
}
