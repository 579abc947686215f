import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FP8_E4M3 } from '../../src/core/base/small-formats.ts';
import { byteLength } from '../../src/core/safetensors/dtype.ts';
import { layoutTensors } from '../../src/core/safetensors/writer.ts';
import type { SyntheticModel, SyntheticTensor } from './models.ts';

const POOL_ELEMENTS = 8 * 1024 * 1024;
/** Of the stored numbers: in the middle of what E4M3 holds. */
const FP8_DEVIATION = 32;
const SCALES = 4096;
const PIECE_BYTES = 16 * 1024 * 1024;

export interface WriteOptions {
  /** Bytes of a shard, at most, unless one tensor alone is larger. */
  readonly shardBytes: number;
  /** Bytes at the head of each large tensor that are written; the rest is a hole in the file, which reads as zeros. */
  readonly headBytes?: number;
}

/** Values of a normal distribution with deviation 1, the same in every run. */
function normalPool(): Float32Array {
  let state = 12_345;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 1) / 2 ** 32;
  };
  const pool = new Float32Array(POOL_ELEMENTS);
  for (let i = 0; i < pool.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    pool[i] = radius * Math.cos(angle);
    pool[i + 1] = radius * Math.sin(angle);
  }
  return pool;
}

/** Codes of FP8 E4M3 of a pool with deviation 32; scales bring it down to the weight's own. */
function fp8Pool(pool: Float32Array): Uint8Array {
  const values = [...FP8_E4M3].slice(0, 127);
  return Uint8Array.from(pool, (value) => {
    const size = Math.abs(value) * FP8_DEVIATION;
    let low = 0;
    let high = values.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((values[middle] ?? 0) < size) low = middle + 1;
      else high = middle;
    }
    return value < 0 ? low | 0x80 : low;
  });
}

function bf16Of(pool: Float32Array, deviation: number, mean: number): Uint8Array {
  const bits = new Uint32Array(Float32Array.from(pool, (value) => mean + value * deviation).buffer);
  return new Uint8Array(Uint16Array.from(bits, (word) => word >>> 16).buffer);
}

function f32Of(pool: Float32Array, deviation: number, mean: number): Uint8Array {
  return new Uint8Array(Float32Array.from(pool, (value) => mean + value * deviation).buffer);
}

/** Makes bytes of tensors from one pool of values, from another place in it for each. */
class ByteMaker {
  readonly #pools = new Map<string, Uint8Array>();
  readonly #values = normalPool();
  #place = 0;
  #scaled = 0;

  /** Scales of one tensor, of another size than the next one's: experts differ by them. */
  #scales(): Uint8Array {
    this.#scaled += 1;
    const size = (0.02 / FP8_DEVIATION) * (0.5 + ((this.#scaled * 0.618_034) % 1));
    return f32Of(this.#values.subarray(0, SCALES), size / 20, size);
  }

  #poolOf({ dtype, deviation, name }: SyntheticTensor): Uint8Array {
    if (name.endsWith('_scale_inv')) return this.#scales();
    const key = `${dtype} ${deviation}`;
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    const mean = deviation === 0 ? 1 : 0;
    const made =
      dtype === 'F8_E4M3'
        ? fp8Pool(this.#values)
        : dtype === 'BF16'
          ? bf16Of(this.#values, deviation || 0.05, mean)
          : f32Of(this.#values.subarray(0, POOL_ELEMENTS / 4), deviation || 0.05, mean);
    this.#pools.set(key, made);
    return made;
  }

  /** `length` bytes of the tensor. */
  *bytes(tensor: SyntheticTensor, length: number): Generator<Uint8Array> {
    const pool = this.#poolOf(tensor);
    this.#place = (this.#place + 1_000_003 * 4) % pool.byteLength;
    let at = this.#place - (this.#place % 4);
    for (let left = length; left > 0; ) {
      const piece = pool.subarray(at, Math.min(pool.byteLength, at + Math.min(left, PIECE_BYTES)));
      yield piece;
      left -= piece.byteLength;
      at = 0;
    }
  }
}

/** Writes a model as a checkpoint: shards, index, config.json. The folder is made; files in it are written over. */
export async function writeModel(folder: string, model: SyntheticModel, options: WriteOptions): Promise<number> {
  await mkdir(folder, { recursive: true });
  const shards = cutIntoShards(model.tensors, options.shardBytes);
  const maker = new ByteMaker();
  const weightMap: Record<string, string> = {};
  let total = 0;
  for (const [index, tensors] of shards.entries()) {
    const name = `model-${String(index + 1).padStart(5, '0')}-of-${String(shards.length).padStart(5, '0')}.safetensors`;
    const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    const { header, entries, fileSize } = layoutTensors(tensors, new Map([['format', 'pt']]));
    const file = await open(join(folder, name), 'w');
    try {
      await file.write(header);
      await file.truncate(fileSize);
      for (const { name: tensorName, begin, end } of entries) {
        const tensor = byName.get(tensorName);
        if (tensor === undefined) throw new RangeError(tensorName);
        const wanted = Math.min(end - begin, options.headBytes ?? Number.POSITIVE_INFINITY);
        let at = header.byteLength + begin;
        for (const piece of maker.bytes(tensor, wanted)) {
          await file.write(piece, 0, piece.byteLength, at);
          at += piece.byteLength;
        }
        weightMap[tensorName] = name;
        total += end - begin;
      }
    } finally {
      await file.close();
    }
  }
  const index = { metadata: { total_size: total }, weight_map: weightMap };
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
  await writeFile(join(folder, 'config.json'), `${JSON.stringify(model.config, undefined, 2)}\n`);
  return total;
}

function cutIntoShards(tensors: readonly SyntheticTensor[], shardBytes: number): SyntheticTensor[][] {
  const shards: SyntheticTensor[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const tensor of tensors) {
    const size = byteLength(tensor.dtype, tensor.shape);
    if (bytes + size > shardBytes) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)?.push(tensor);
    bytes += size;
  }
  return shards;
}

/** Token ids that any vocabulary of `size` holds, as "--tokens" takes them. */
export function tokenIds(sequences: number, length: number, size: number): number[][] {
  let state = 99;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % size;
  };
  return Array.from({ length: sequences }, () => Array.from({ length }, next));
}
