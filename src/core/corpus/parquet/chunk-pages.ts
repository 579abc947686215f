import type { PageHeader } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import type { ByteSource } from '../../bytes/byte-source.ts';
import { headerCount } from './page-checks.ts';
import type { ColumnChunk, ParquetLeaf } from './parquet-footer.ts';
import { PARQUET_LIMITS } from './parquet-footer.ts';
import { badParquet, blameFile, parquetTooLarge } from './parquet-refusals.ts';
import { CutOffError, skimThrift } from './skim-thrift.ts';

/** A page as it is stored. */
export interface StoredPage {
  readonly header: PageHeader;
  readonly bytes: Uint8Array;
}

/** Bytes of the first read of a chunk; each further read takes twice as many, up to the last. */
const FIRST_PIECE = 2 ** 18;
const LAST_PIECE = 2 ** 22;
/** Headers may carry the smallest and largest value of their page, whole. */
const MAX_HEADER = 2 ** 20;
const HEADER_LIMITS = { depth: 8, entries: 1000 } as const;

/**
 * The pages of a column chunk, read piece by piece: whoever stops early leaves the rest of the file unread.
 * @throws StudioError corpus/bad-parquet, corpus/parquet-too-large; what the source throws
 */
export async function* readPages(
  source: ByteSource,
  leaf: ParquetLeaf,
  chunk: ColumnChunk,
  signal?: AbortSignal,
): AsyncGenerator<StoredPage> {
  const file = source.name;
  let piece = FIRST_PIECE;
  let held = new Uint8Array(0);
  // Offset in the file of the first byte that is held.
  let at = chunk.start;

  const hold = async (length: number): Promise<void> => {
    if (held.length >= length || at + held.length >= chunk.end) return;
    const from = at + held.length;
    const read = await source.read(from, Math.min(Math.max(length - held.length, piece), chunk.end - from), signal);
    piece = Math.min(2 * piece, LAST_PIECE);
    const joined = new Uint8Array(held.length + read.length);
    joined.set(held);
    joined.set(read, held.length);
    held = joined;
  };
  const take = (length: number): Uint8Array => {
    const taken = held.subarray(0, length);
    held = held.subarray(length);
    at += length;
    return taken;
  };
  /** Bytes of the header that the held bytes begin with, or undefined when they end before it does. */
  const headerEnd = (): number | undefined => {
    try {
      return skimThrift(held, 0, HEADER_LIMITS);
    } catch (error) {
      if (error instanceof CutOffError) return undefined;
      throw badParquet(file, `a page of column "${leaf.name}" has a header that cannot be read`, error);
    }
  };

  while (at < chunk.end) {
    await hold(Math.min(piece, FIRST_PIECE));
    let end = headerEnd();
    if (end === undefined && at + held.length < chunk.end) {
      await hold(MAX_HEADER);
      end = headerEnd();
    }
    if (end === undefined) throw badParquet(file, `column "${leaf.name}" ends within a page header`);
    const bytes = take(end);
    const header = blameFile(file, () => parquetHeader({ view: viewOf(bytes), offset: 0 }));
    const stored = headerCount(file, leaf, header.compressed_page_size);
    const whole = headerCount(file, leaf, header.uncompressed_page_size);
    const most = Math.max(stored, whole);
    if (most > PARQUET_LIMITS.pageBytes) {
      throw parquetTooLarge(file, `A page of column "${leaf.name}", in bytes,`, most, PARQUET_LIMITS.pageBytes);
    }
    if (stored > chunk.end - at) throw badParquet(file, `a page of column "${leaf.name}" reaches beyond the column`);
    await hold(stored);
    yield { header, bytes: take(stored) };
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
