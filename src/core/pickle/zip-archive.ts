import type { ByteSource } from '../bytes/byte-source.ts';
import { crc32 } from './crc32.ts';
import { inflateExactly } from './inflate.ts';
import { damagedTorchFile, unsupportedTorchFile } from './refusals.ts';

/** Bounds of what is taken into memory, far above what statistics need. */
const MOST_DIRECTORY_BYTES = 16 * 2 ** 20;
const MOST_INFLATED_BYTES = 64 * 2 ** 20;
/** Up to this, an entry is read whole and held against its checksum; larger ones are read in parts. */
const WHOLE_BYTES = 16 * 2 ** 20;

const END_RECORD = 0x06054b50;
const END_BYTES = 22;
const LONGEST_COMMENT = 0xffff;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_ENTRY_BYTES = 46;
const LOCAL_HEADER = 0x04034b50;
const LOCAL_HEADER_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;
/** The value of a field that stands in a zip64 record instead. */
const ELSEWHERE = 0xffffffff;

interface ZipEntry {
  readonly method: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
  readonly headerOffset: number;
}

/** The entries of a zip file of less than 4 GiB, read when they are asked for. */
export class ZipArchive {
  readonly names: readonly string[];
  readonly #source: ByteSource;
  readonly #entries: ReadonlyMap<string, ZipEntry>;

  private constructor(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>) {
    this.#source = source;
    this.#entries = entries;
    this.names = [...entries.keys()];
  }

  /** Reads the directory alone. @throws StudioError calibration/unsupported-torch-file, calibration/damaged-torch-file. */
  static async open(source: ByteSource): Promise<ZipArchive> {
    return new ZipArchive(source, await readDirectory(source));
  }

  /** Unpacked bytes of an entry, undefined for a name that is not there. */
  sizeOf(name: string): number | undefined {
    return this.#entries.get(name)?.size;
  }

  /**
   * `length` unpacked bytes of an entry from `offset` on.
   * @throws StudioError calibration/damaged-torch-file when it is missing, shorter, or not what its checksum says.
   */
  async read(name: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const entry = this.#entries.get(name);
    const file = this.#source.name;
    if (entry === undefined) throw damagedTorchFile(file, `lacks the part "${name}" that it names`);
    if (offset + length > entry.size) {
      throw damagedTorchFile(file, `has ${entry.size} bytes in "${name}" where ${offset + length} are needed`);
    }
    const start = await this.#dataStart(name, entry);
    if (entry.method === STORED && entry.size > WHOLE_BYTES) return this.#source.read(start + offset, length);
    const packed = await this.#source.read(start, entry.packedSize);
    const bytes = entry.method === STORED ? packed : await inflateExactly(packed, entry.size);
    if (bytes === null || crc32(bytes) !== entry.crc) {
      throw damagedTorchFile(file, `holds other bytes in "${name}" than its checksum says`);
    }
    return bytes.slice(offset, offset + length);
  }

  async #dataStart(name: string, entry: ZipEntry): Promise<number> {
    const { name: file, size } = this.#source;
    if (entry.headerOffset + LOCAL_HEADER_BYTES > size) throw damagedTorchFile(file, 'ends too early');
    const header = viewOf(await this.#source.read(entry.headerOffset, LOCAL_HEADER_BYTES));
    if (header.getUint32(0, true) !== LOCAL_HEADER) throw damagedTorchFile(file, `has no header before "${name}"`);
    const start = entry.headerOffset + LOCAL_HEADER_BYTES + header.getUint16(26, true) + header.getUint16(28, true);
    if (start + entry.packedSize > size) throw damagedTorchFile(file, `ends within "${name}"`);
    return start;
  }
}

async function readDirectory(source: ByteSource): Promise<ReadonlyMap<string, ZipEntry>> {
  const tailBytes = Math.min(source.size, END_BYTES + LONGEST_COMMENT);
  const tail = viewOf(await source.read(source.size - tailBytes, tailBytes));
  let end = tailBytes - END_BYTES;
  while (
    end >= 0 &&
    !(tail.getUint32(end, true) === END_RECORD && tail.getUint16(end + 20, true) === tailBytes - END_BYTES - end)
  )
    end--;
  if (end < 0)
    throw damagedTorchFile(source.name, 'has no list of its parts at its end, so it was cut off or is no torch file');
  const count = tail.getUint16(end + 10, true);
  const bytes = tail.getUint32(end + 12, true);
  const offset = tail.getUint32(end + 16, true);
  if (count === 0xffff || bytes === ELSEWHERE || offset === ELSEWHERE) throw tooLarge(source.name);
  if (bytes > MOST_DIRECTORY_BYTES)
    throw unsupportedTorchFile(source.name, 'lists more parts than statistics can have');
  if (offset + bytes > source.size) throw damagedTorchFile(source.name, 'ends before its list of parts does');
  return parseEntries(source.name, viewOf(await source.read(offset, bytes)), count);
}

function parseEntries(file: string, view: DataView<ArrayBuffer>, count: number): ReadonlyMap<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + DIRECTORY_ENTRY_BYTES > view.byteLength || view.getUint32(at, true) !== DIRECTORY_ENTRY) {
      throw damagedTorchFile(file, `says it has ${count} parts and lists ${index}`);
    }
    const nameBytes = view.getUint16(at + 28, true);
    const nameStart = at + DIRECTORY_ENTRY_BYTES;
    if (nameStart + nameBytes > view.byteLength) throw damagedTorchFile(file, 'ends within its list of parts');
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + nameStart, nameBytes));
    if (entries.has(name)) throw damagedTorchFile(file, `lists "${name}" twice`);
    entries.set(name, parseEntry(file, name, view, at));
    at = nameStart + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

function parseEntry(file: string, name: string, view: DataView, at: number): ZipEntry {
  const entry = {
    method: view.getUint16(at + 10, true),
    crc: view.getUint32(at + 16, true),
    packedSize: view.getUint32(at + 20, true),
    size: view.getUint32(at + 24, true),
    headerOffset: view.getUint32(at + 42, true),
  };
  const { method, packedSize, size, headerOffset } = entry;
  if (packedSize === ELSEWHERE || size === ELSEWHERE || headerOffset === ELSEWHERE) throw tooLarge(file);
  if ((view.getUint16(at + 8, true) & ENCRYPTED) !== 0) throw unsupportedTorchFile(file, 'is encrypted');
  if (method !== STORED && method !== DEFLATED) {
    throw unsupportedTorchFile(file, `packs "${name}" by method ${method}, not stored or deflated`);
  }
  if (method === STORED && packedSize !== size) throw damagedTorchFile(file, `gives "${name}" two sizes`);
  if (method === DEFLATED && size > MOST_INFLATED_BYTES) {
    throw unsupportedTorchFile(file, `unpacks "${name}" to ${size} bytes, more than ${MOST_INFLATED_BYTES}`);
  }
  return entry;
}

function tooLarge(file: string) {
  return unsupportedTorchFile(
    file,
    'is larger than 4 GiB (an observer that records pruning metrics alone needs a few MB)',
  );
}

function viewOf(bytes: Uint8Array<ArrayBuffer>): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
