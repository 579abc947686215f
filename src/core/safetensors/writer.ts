import { compareCodePoints } from './code-points.ts';
import { byteLength, type Dtype, dtypeRank } from './dtype.ts';
import { LENGTH_BYTES, METADATA_KEY, type TensorEntry } from './header.ts';
import { MAX_HEADER_BYTES } from './limits.ts';

/** A tensor that is to be written. */
export interface TensorShape {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** A safetensors file before its tensors' bytes: where each goes is known, and how long the file will be. */
export interface TensorLayout {
  /** The file's first bytes: the length as a little-endian u64, then JSON, then spaces up to a multiple of 8. */
  readonly header: Uint8Array<ArrayBuffer>;
  /** In the order in which the tensors' bytes follow the header. */
  readonly entries: readonly TensorEntry[];
  /** Bytes of the whole file. */
  readonly fileSize: number;
}

/** The library's order (tensor.rs, `prepare`): the dtype that its enumeration lists last comes first, then by name. */
function compareTensors(left: TensorShape, right: TensorShape): number {
  return dtypeRank(right.dtype) - dtypeRank(left.dtype) || compareCodePoints(left.name, right.name);
}

function checkNames(tensors: readonly TensorShape[]): void {
  const names = new Set<string>();
  for (const { name } of tensors) {
    if (name === METADATA_KEY || names.has(name) || !name.isWellFormed()) {
      throw new RangeError(`${JSON.stringify(name)} cannot be the name of a tensor here`);
    }
    names.add(name);
  }
}

/**
 * Lays out a safetensors file; the header equals, byte for byte, the one that the safetensors library writes for the same
 * tensors and metadata (of several metadata keys the library's order is random; here it is the Map's).
 * @param metadata Becomes `__metadata__`; an empty Map is left out.
 * @throws RangeError for a name that is used twice or reserved, a shape without a size in bytes, or a header beyond the
 * format's ceiling.
 */
export function layoutTensors(tensors: readonly TensorShape[], metadata?: ReadonlyMap<string, string>): TensorLayout {
  checkNames(tensors);
  const fields: string[] = [];
  if (metadata !== undefined && metadata.size > 0) {
    const pairs = [...metadata].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    fields.push(`"${METADATA_KEY}":{${pairs.join(',')}}`);
  }
  const entries: TensorEntry[] = [];
  let begin = 0;
  for (const { name, dtype, shape } of [...tensors].sort(compareTensors)) {
    const end = begin + byteLength(dtype, shape);
    entries.push({ name, dtype, shape, begin, end });
    fields.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${begin},${end}]}`,
    );
    begin = end;
  }
  const json = new TextEncoder().encode(`{${fields.join(',')}}`);
  const length = Math.ceil(json.byteLength / LENGTH_BYTES) * LENGTH_BYTES;
  if (length > MAX_HEADER_BYTES) throw new RangeError(`a header of ${length} bytes is beyond the format's ceiling`);
  const header = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, LENGTH_BYTES);
  return { header, entries, fileSize: header.byteLength + begin };
}
