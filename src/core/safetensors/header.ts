import type { ByteSource } from '../bytes/byte-source.ts';
import { type Dtype, isDtype, sizeInBytes } from './dtype.ts';
import { refuseImpostor } from './impostor.ts';
import { decodeUtf8, JsonScanner } from './json-scanner.ts';
import { FIRST_READ_BYTES, MAX_DIMENSIONS, MAX_HEADER_BYTES } from './limits.ts';
import { quoted, type Refuse, refusalsOf } from './refusals.ts';

/** One tensor of a shard. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: Dtype;
  /** Non-negative; [] is one element. */
  readonly shape: readonly number[];
  /** First byte, relative to the data section. */
  readonly begin: number;
  /** One past the last byte, relative to the data section. */
  readonly end: number;
}

/** A header that has passed every check. */
export interface SafetensorsHeader {
  /** `__metadata__`, empty when the file has none. */
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their bytes: each begins where the one before ends, the last ends with the file. */
  readonly tensors: readonly TensorEntry[];
  /** Where the data section begins in the file: 8 + the header's length. */
  readonly dataOffset: number;
}

/** The header's length comes first, as a little-endian u64. */
export const LENGTH_BYTES = 8;

/** The key that names no tensor. */
export const METADATA_KEY = '__metadata__';

function headerLength(bytes: Uint8Array, fileSize: number, refuse: Refuse): number {
  if (fileSize < LENGTH_BYTES || bytes.byteLength < LENGTH_BYTES) {
    throw refuse('too-short', `has only ${fileSize} bytes, too few for a safetensors file`, { size: fileSize });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES);
  const length = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw refuse('header-too-large', `does not begin like a safetensors file: its header would have ${length} bytes`, {
      headerLength: length,
    });
  }
  if (LENGTH_BYTES + length > fileSize) {
    throw refuse('header-beyond-file', `has ${fileSize} bytes and ends inside its header of ${length} bytes`, {
      size: fileSize,
      headerLength: length,
    });
  }
  return length;
}

function readMetadata(scanner: JsonScanner, refuse: Refuse): Map<string, string> {
  if (scanner.kind() !== 'object') throw refuse('bad-metadata', `has a "${METADATA_KEY}" that is not an object`);
  const metadata = new Map<string, string>();
  scanner.object((key) => {
    if (scanner.kind() !== 'string') {
      throw refuse('bad-metadata', `has metadata ${quoted(key)} that is not a string`, { key });
    }
    metadata.set(key, scanner.string());
  });
  return metadata;
}

/** Reads the fields of one tensor's entry and checks each by itself and dtype, shape and offsets against each other. */
class EntryReader {
  readonly #scanner: JsonScanner;
  readonly #refuse: Refuse;

  constructor(scanner: JsonScanner, refuse: Refuse) {
    this.#scanner = scanner;
    this.#refuse = refuse;
  }

  read(name: string): TensorEntry {
    const scanner = this.#scanner;
    if (scanner.kind() !== 'object') throw this.#bad('bad-entry', name, 'is not described by an object');
    let dtype: Dtype | undefined;
    let shape: readonly number[] | undefined;
    let offsets: readonly number[] | undefined;
    scanner.object((field) => {
      if (field === 'dtype') dtype = this.#dtype(name);
      else if (field === 'shape') shape = this.#integers(name, 'bad-shape', 'shape', MAX_DIMENSIONS);
      else if (field === 'data_offsets') offsets = this.#integers(name, 'bad-offsets', 'data_offsets', 2);
      else throw this.#bad('unknown-field', name, `has an unknown field ${quoted(field)}`);
    });
    if (dtype === undefined) throw this.#bad('missing-field', name, 'has no "dtype"');
    if (shape === undefined) throw this.#bad('missing-field', name, 'has no "shape"');
    if (offsets === undefined) throw this.#bad('missing-field', name, 'has no "data_offsets"');
    return this.#entry(name, dtype, shape, offsets);
  }

  #entry(name: string, dtype: Dtype, shape: readonly number[], offsets: readonly number[]): TensorEntry {
    const [begin, end] = offsets;
    if (begin === undefined || end === undefined || end < begin) {
      throw this.#bad('bad-offsets', name, `has data offsets [${offsets.join(', ')}] that are no range`);
    }
    const size = sizeInBytes(dtype, shape);
    if (typeof size !== 'number') {
      const problem = size === 'size-overflow' ? 'is larger than can be counted' : 'does not fill whole bytes';
      throw this.#bad(size, name, `of ${dtype} [${shape.join(', ')}] ${problem}`);
    }
    if (size !== end - begin) {
      throw this.#bad(
        'size-mismatch',
        name,
        `of ${dtype} [${shape.join(', ')}] needs ${size} bytes but is given ${end - begin}`,
      );
    }
    return { name, dtype, shape, begin, end };
  }

  #dtype(name: string): Dtype {
    const text = this.#scanner.kind() === 'string' ? this.#scanner.string() : undefined;
    if (text === undefined) throw this.#bad('unknown-dtype', name, 'has a dtype that is not a string');
    if (!isDtype(text)) throw this.#bad('unknown-dtype', name, `has the unknown dtype ${quoted(text)}`);
    return text;
  }

  #integers(name: string, code: 'bad-shape' | 'bad-offsets', field: string, most: number): readonly number[] {
    if (this.#scanner.kind() !== 'array') throw this.#bad(code, name, `has a "${field}" that is not a list`);
    const integers: number[] = [];
    this.#scanner.array((index) => {
      if (index >= most) throw this.#bad(code, name, `has a "${field}" of more than ${most} numbers`);
      const value = this.#scanner.kind() === 'number' ? this.#scanner.unsignedInteger() : undefined;
      if (value === undefined)
        throw this.#bad(code, name, `has a "${field}" that is not made of whole numbers from 0 to 2^53 - 1`);
      integers.push(value);
    });
    return integers;
  }

  #bad(code: Parameters<Refuse>[0], tensor: string, problem: string): Error {
    return this.#refuse(code, `is not valid: the tensor ${quoted(tensor)} ${problem}`, { tensor });
  }
}

/** Sorts the entries by their bytes and checks that they cover the data section exactly. */
function tile(entries: TensorEntry[], dataBytes: number, refuse: Refuse): readonly TensorEntry[] {
  entries.sort((left, right) => left.begin - right.begin || left.end - right.end);
  let covered = 0;
  for (const { name, begin, end } of entries) {
    if (begin > covered) {
      throw refuse(
        'hole',
        `is not valid: ${begin - covered} bytes before the tensor ${quoted(name)} belong to no tensor`,
        {
          tensor: name,
          bytes: begin - covered,
        },
      );
    }
    if (begin < covered) {
      throw refuse('overlap', `is not valid: the tensor ${quoted(name)} overlaps the one before it`, { tensor: name });
    }
    covered = end;
  }
  if (covered > dataBytes) {
    throw refuse('truncated', `is cut off: ${covered - dataBytes} of its ${covered} bytes of tensors are missing`, {
      expected: covered,
      found: dataBytes,
    });
  }
  if (covered < dataBytes) {
    throw refuse('trailing-data', `has ${dataBytes - covered} bytes after its last tensor that belong to nothing`, {
      expected: covered,
      found: dataBytes,
    });
  }
  return entries;
}

/**
 * Parses and checks the header of a safetensors file by every rule of the format, and two of our own: fields that the
 * format does not know are refused, and so are more than 64 dimensions.
 * @param bytes At least the file's first 8 + n bytes, n being the header's length.
 * @param fileSize Bytes of the whole file: the tensors must end exactly there.
 * @throws StudioError family `safetensors`, one code per rule; `details.file` is always set, `details.tensor` where one is at fault.
 */
export function parseHeader(bytes: Uint8Array, fileSize: number, fileName: string): SafetensorsHeader {
  const refuse = refusalsOf(fileName);
  refuseImpostor(bytes, refuse);
  const length = headerLength(bytes, fileSize, refuse);
  const dataOffset = LENGTH_BYTES + length;
  if (bytes.byteLength < dataOffset) {
    throw refuse('header-beyond-file', `ends inside its header of ${length} bytes`, {
      size: bytes.byteLength,
      headerLength: length,
    });
  }
  const json = bytes.subarray(LENGTH_BYTES, dataOffset);
  if (json[0] !== 0x7b) throw refuse('header-start', 'has a header that does not begin with "{"');
  const text = decodeUtf8(json, refuse);
  const scanner = new JsonScanner(text, refuse);
  const entryReader = new EntryReader(scanner, refuse);
  const entries: TensorEntry[] = [];
  let metadata: ReadonlyMap<string, string> = new Map();
  scanner.object((key) => {
    if (key === METADATA_KEY) metadata = readMetadata(scanner, refuse);
    else entries.push(entryReader.read(key));
  });
  for (let at = scanner.position; at < text.length; at++) {
    if (text.charCodeAt(at) !== 0x20)
      throw refuse('trailing-bytes', 'has something other than spaces after its header', { position: at });
  }
  return { metadata, tensors: tile(entries, fileSize - dataOffset, refuse), dataOffset };
}

/**
 * Reads and checks the header of a shard; reads no tensor. A small read that gives its length, then the rest.
 * @throws StudioError family `safetensors` as parseHeader, family `source` when the file cannot be read.
 */
export async function readHeader(source: ByteSource, signal?: AbortSignal): Promise<SafetensorsHeader> {
  const { name, size } = source;
  const first = await source.read(0, Math.min(size, FIRST_READ_BYTES), signal);
  const refuse = refusalsOf(name);
  refuseImpostor(first, refuse);
  const end = LENGTH_BYTES + headerLength(first, size, refuse);
  if (end <= first.byteLength) return parseHeader(first, size, name);
  const bytes = new Uint8Array(end);
  bytes.set(first);
  bytes.set(await source.read(first.byteLength, end - first.byteLength, signal), first.byteLength);
  return parseHeader(bytes, size, name);
}
