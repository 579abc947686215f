/**
 * Two WGSL kernels on onnxruntime's own device: gather rows of a [T, H] matrix, and add scaled rows into one. One
 * workgroup takes a row. Within one expert no token occurs twice, so adding needs no atomics; experts follow each other
 * as dispatches of their own, which WebGPU orders.
 */
const GATHER = /* wgsl */ `
struct Shape { width: u32, first: u32, count: u32, pad: u32 }
@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read> rows: array<i32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;
@group(0) @binding(3) var<uniform> shape: Shape;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let i = group.x + group.y * groups.x;
  if (i >= shape.count) { return; }
  let row = rows[i];
  for (var h = local.x; h < shape.width; h += 64u) {
    var value = 0.0;
    if (row >= 0) { value = source[u32(row) * shape.width + h]; }
    result[i * shape.width + h] = value;
  }
}`;

const SCATTER_ADD = /* wgsl */ `
struct Shape { width: u32, first: u32, count: u32, pad: u32 }
@group(0) @binding(0) var<storage, read_write> sums: array<f32>;
@group(0) @binding(1) var<storage, read> rows: array<i32>;
@group(0) @binding(2) var<storage, read> factors: array<f32>;
@group(0) @binding(3) var<storage, read> values: array<f32>;
@group(0) @binding(4) var<uniform> shape: Shape;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let at = group.x + group.y * groups.x;
  if (at >= shape.count) { return; }
  let i = shape.first + at;
  let row = rows[i];
  if (row < 0) { return; }
  let factor = factors[i];
  for (var h = local.x; h < shape.width; h += 64u) {
    let to = u32(row) * shape.width + h;
    sums[to] = sums[to] + factor * values[i * shape.width + h];
  }
}`;

const MAX_GROUPS = 65_535;

export class RowKernels {
  readonly #device: GPUDevice;
  readonly #gather: GPUComputePipeline;
  readonly #scatter: GPUComputePipeline;

  constructor(device: GPUDevice) {
    this.#device = device;
    const pipeline = (code: string): GPUComputePipeline =>
      device.createComputePipeline({
        layout: 'auto',
        compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
      });
    this.#gather = pipeline(GATHER);
    this.#scatter = pipeline(SCATTER_ADD);
  }

  #buffer(
    data: Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>,
    usage: number,
  ): GPUBuffer {
    const buffer = this.#device.createBuffer({
      size: Math.max(16, data.byteLength),
      usage: usage | GPUBufferUsage.COPY_DST,
    });
    this.#device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  }

  #pass(encoder: GPUCommandEncoder, pipeline: GPUComputePipeline, buffers: readonly GPUBuffer[], count: number): void {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      this.#device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
      }),
    );
    pass.dispatchWorkgroups(Math.min(count, MAX_GROUPS), Math.ceil(count / MAX_GROUPS));
    pass.end();
  }

  /** result[i] = source[rows[i]], zeros for −1; rows of `width` f32. */
  gather(source: GPUBuffer, rows: Int32Array<ArrayBuffer>, result: GPUBuffer, width: number): void {
    const index = this.#buffer(rows, GPUBufferUsage.STORAGE);
    const shape = this.#buffer(Uint32Array.from([width, 0, rows.length, 0]), GPUBufferUsage.UNIFORM);
    const encoder = this.#device.createCommandEncoder();
    this.#pass(encoder, this.#gather, [source, index, result, shape], rows.length);
    this.#device.queue.submit([encoder.finish()]);
    index.destroy();
    shape.destroy();
  }

  /** sums[rows[i]] += factors[i] · values[i] for each of `slots` equal parts of `rows` in turn, skipping −1. */
  scatterAdd(
    sums: GPUBuffer,
    rows: Int32Array<ArrayBuffer>,
    factors: Float32Array<ArrayBuffer>,
    values: GPUBuffer,
    width: number,
    slots: number,
  ): void {
    const index = this.#buffer(rows, GPUBufferUsage.STORAGE);
    const scale = this.#buffer(factors, GPUBufferUsage.STORAGE);
    const count = rows.length / slots;
    const shapes = Array.from({ length: slots }, (_, slot) =>
      this.#buffer(Uint32Array.from([width, slot * count, count, 0]), GPUBufferUsage.UNIFORM),
    );
    const encoder = this.#device.createCommandEncoder();
    for (const shape of shapes) this.#pass(encoder, this.#scatter, [sums, index, scale, values, shape], count);
    this.#device.queue.submit([encoder.finish()]);
    for (const buffer of [index, scale, ...shapes]) buffer.destroy();
  }
}
