const MIB = 1024 * 1024;
const WORD_BYTES = 4;

/** What waits for the graphics processor is not the uploading itself. */
export interface RingClock {
  begin(): void;
  end(): void;
}

export interface RingSize {
  /** Buffers, at most. */
  readonly count: number;
  /** Bytes of each, a multiple of 4. */
  readonly bytes: number;
}

/** On an H100 three buffers of 8 MiB carried 5.1 GiB/s; larger or smaller ones, and writeBuffer, less. 64 MiB in all. */
const RING: RingSize = { count: 8, bytes: 8 * MIB };

interface Open {
  readonly buffer: GPUBuffer;
  readonly bytes: Uint8Array;
  used: number;
}

/**
 * Carries bytes to the device through a few buffers that are mapped, filled, copied from and mapped again: however much
 * is uploaded, no more than these lie in between. Commands that work on what was written go to `encoder`, behind it.
 */
export class WeightRing {
  readonly #device: GPUDevice;
  readonly #size: RingSize;
  readonly #clock: RingClock | undefined;
  readonly #free: GPUBuffer[] = [];
  /** Buffers that the device still copies from, in the order of their return. */
  readonly #returning: Promise<void>[] = [];
  readonly #created = new Set<GPUBuffer>();
  #open: Open | undefined;
  #encoder: GPUCommandEncoder | undefined;

  constructor(device: GPUDevice, clock?: RingClock, size: RingSize = RING) {
    this.#device = device;
    this.#clock = clock;
    this.#size = size;
  }

  /** Commands recorded here run after all that was written before and before all that is written later. */
  get encoder(): GPUCommandEncoder {
    this.#encoder ??= this.#device.createCommandEncoder();
    return this.#encoder;
  }

  /**
   * Copies bytes to `target` from `offset` on (a multiple of 4), zeros behind them up to a multiple of 4. `target` must hold
   * the padding. Waits where all buffers are on their way. @throws what mapAsync throws when the device is lost.
   */
  async write(target: GPUBuffer, offset: number, bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.byteLength; ) {
      const open = await this.#room();
      const length = Math.min(bytes.byteLength - from, this.#size.bytes - open.used);
      const padded = Math.ceil(length / WORD_BYTES) * WORD_BYTES;
      open.bytes.set(bytes.subarray(from, from + length), open.used);
      open.bytes.fill(0, open.used + length, open.used + padded);
      this.encoder.copyBufferToBuffer(open.buffer, open.used, target, offset + from, padded);
      open.used += padded;
      from += length;
    }
  }

  /** Hands the commands so far to the device. */
  submit(): void {
    const open = this.#open;
    this.#open = undefined;
    open?.buffer.unmap();
    if (this.#encoder !== undefined) this.#device.queue.submit([this.#encoder.finish()]);
    this.#encoder = undefined;
    if (open === undefined) return;
    const returned = open.buffer.mapAsync(GPUMapMode.WRITE).then(() => {
      this.#returning.splice(this.#returning.indexOf(returned), 1);
      this.#free.push(open.buffer);
    });
    // Reported to whoever waits for it.
    returned.catch(() => undefined);
    this.#returning.push(returned);
  }

  /** Forgets the commands since the last submit: what an upload that failed had recorded. */
  abandon(): void {
    this.#encoder = undefined;
  }

  async #room(): Promise<Open> {
    if (this.#open !== undefined && this.#open.used < this.#size.bytes) return this.#open;
    if (this.#open !== undefined) this.submit();
    const buffer = this.#free.pop() ?? this.#create() ?? (await this.#nextReturned());
    this.#open = { buffer, bytes: new Uint8Array(buffer.getMappedRange()), used: 0 };
    return this.#open;
  }

  #create(): GPUBuffer | undefined {
    if (this.#created.size === this.#size.count) return undefined;
    const buffer = this.#device.createBuffer({
      size: this.#size.bytes,
      usage: GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC,
      mappedAtCreation: true,
    });
    this.#created.add(buffer);
    return buffer;
  }

  async #nextReturned(): Promise<GPUBuffer> {
    this.#clock?.end();
    try {
      for (;;) {
        const buffer = this.#free.pop();
        if (buffer !== undefined) return buffer;
        if (this.#returning.length === 0) throw new RangeError('an upload before this one left no buffer behind');
        await this.#returning[0];
      }
    } finally {
      this.#clock?.begin();
    }
  }
}
