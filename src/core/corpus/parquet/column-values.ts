import type { DecodedArray, PageHeader, RowGroup } from 'hyparquet';
import { assembleNested } from 'hyparquet/src/assemble.js';
import { readPage } from 'hyparquet/src/column.js';
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { decompressZstd, gunzip } from 'hyparquet-compressors';
import type { ByteSource } from '../../bytes/byte-source.ts';
import { readPages, type StoredPage } from './chunk-pages.ts';
import { checkPage, dataHeader, headerCount } from './page-checks.ts';
import {
  locateChunk,
  PARQUET_LIMITS,
  type ParquetColumn,
  type ParquetFooter,
  type ParquetLeaf,
} from './parquet-footer.ts';
import { badParquet, blameFile, parquetTooLarge, unsupportedParquet } from './parquet-refusals.ts';
import { decompressSnappy } from './snappy.ts';
import { checkZstdFrames } from './zstd-frames.ts';

type ColumnDecoder = Parameters<typeof readPage>[2];
type Decompress = (input: Uint8Array, length: number) => Uint8Array;

const DECOMPRESS: ReadonlyMap<string, Decompress> = new Map<string, Decompress>([
  ['UNCOMPRESSED', (input) => input],
  ['SNAPPY', decompressSnappy],
  ['GZIP', (input, length) => gunzip(input, new Uint8Array(length))],
  [
    'ZSTD',
    (input, length) => {
      checkZstdFrames(input, length);
      return decompressZstd(input);
    },
  ],
]);

const UNREAD_TYPES: readonly unknown[] = ['VARIANT', 'GEOMETRY', 'GEOGRAPHY', 'BSON'];

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const PARSERS = {
  ...DEFAULT_PARSERS,
  stringFromBytes: (bytes: Uint8Array | undefined): string | undefined =>
    bytes === undefined ? undefined : UTF8.decode(bytes),
};

/** A leaf of one row group, ready to decode its pages. */
class LeafReader {
  readonly #file: string;
  readonly #leaf: ParquetLeaf;
  readonly #decoder: ColumnDecoder;
  readonly #decompress: Decompress;
  #dictionary: DecodedArray | undefined;
  #seen = 0;
  readonly values: number;
  readonly pages: AsyncGenerator<StoredPage>;

  constructor(source: ByteSource, footer: ParquetFooter, group: RowGroup, leaf: ParquetLeaf, signal?: AbortSignal) {
    const chunk = locateChunk(source.name, footer, group, leaf);
    const element = leaf.path.at(-1)?.element;
    if (element === undefined) throw badParquet(source.name, 'it has no columns');
    if (UNREAD_TYPES.includes(element.logical_type?.type)) {
      throw unsupportedParquet(source.name, `the type ${String(element.logical_type?.type)} in column "${leaf.name}"`);
    }
    const decompress = DECOMPRESS.get(chunk.meta.codec);
    if (decompress === undefined) {
      throw unsupportedParquet(source.name, `${chunk.meta.codec ?? 'an unknown'} compression in column "${leaf.name}"`);
    }
    this.#file = source.name;
    this.#leaf = leaf;
    this.#decompress = decompress;
    this.#decoder = {
      pathInSchema: chunk.meta.path_in_schema,
      type: chunk.meta.type,
      element,
      schemaPath: [...leaf.path],
      codec: 'UNCOMPRESSED',
      parsers: PARSERS,
      utf8: true,
    };
    this.values = chunk.values;
    this.pages = readPages(source, leaf, chunk, signal);
  }

  /** Decodes a page: undefined for a dictionary, which is kept. `previous` is what a nested leaf has gathered so far. */
  decode({ header, bytes }: StoredPage, previous: DecodedArray | undefined): DecodedArray | undefined {
    return blameFile(this.#file, () => {
      if (header.type === 'INDEX_PAGE') return undefined;
      if (header.type === 'DICTIONARY_PAGE') {
        this.#keepDictionary(header, bytes);
        return undefined;
      }
      const data = dataHeader(header);
      if (data === undefined) throw badParquet(this.#file, `a page of column "${this.#leaf.name}" has no type`);
      const values = headerCount(this.#file, this.#leaf, data.num_values);
      this.#seen += values;
      if (this.#seen > this.values) throw badParquet(this.#file, `column "${this.#leaf.name}" has too many values`);
      if (values > PARQUET_LIMITS.pageValues) {
        const what = `The number of values on a page of column "${this.#leaf.name}"`;
        throw parquetTooLarge(this.#file, what, values, PARQUET_LIMITS.pageValues);
      }
      const { body, plain } = this.#decompressPage(header, bytes);
      const v2 = header.data_page_header_v2;
      const levels =
        header.type === 'DATA_PAGE_V2' && v2 !== undefined
          ? { repetition: v2.repetition_levels_byte_length, definition: v2.definition_levels_byte_length }
          : undefined;
      checkPage(this.#file, this.#leaf, {
        bytes: body,
        values,
        encoding: data.encoding,
        ...(levels === undefined ? {} : { levels }),
      });
      const isIndexed = data.encoding === 'PLAIN_DICTIONARY' || data.encoding === 'RLE_DICTIONARY';
      if (isIndexed && this.#dictionary === undefined && values > 0) {
        throw badParquet(this.#file, `column "${this.#leaf.name}" has no dictionary`);
      }
      return readPage({ view: viewOf(body), offset: 0 }, plain, this.#decoder, this.#dictionary, previous, 0).data;
    });
  }

  /** All pages are read: they must hold what the footer says. */
  finish(): void {
    if (this.#seen !== this.values) throw badParquet(this.#file, `column "${this.#leaf.name}" has too few values`);
  }

  #keepDictionary(header: PageHeader, bytes: Uint8Array): void {
    const values = headerCount(this.#file, this.#leaf, header.dictionary_page_header?.num_values);
    const { body, plain } = this.#decompressPage(header, bytes);
    // A boolean takes a bit, a text at least the four bytes of its length.
    const most = this.#decoder.type === 'BYTE_ARRAY' ? body.length / 4 : 8 * body.length;
    if (values > most || this.#dictionary !== undefined) {
      throw badParquet(this.#file, `column "${this.#leaf.name}" has an impossible dictionary`);
    }
    const read = readPage({ view: viewOf(body), offset: 0 }, plain, this.#decoder, undefined, undefined, 0).data;
    this.#dictionary = convert(read ?? [], this.#decoder);
  }

  /** The page's bytes decompressed, and a header that says so. */
  #decompressPage(header: PageHeader, bytes: Uint8Array): { readonly body: Uint8Array; readonly plain: PageHeader } {
    const whole = header.uncompressed_page_size;
    const v2 = header.type === 'DATA_PAGE_V2' ? header.data_page_header_v2 : undefined;
    let levels = 0;
    if (v2 !== undefined) {
      levels =
        headerCount(this.#file, this.#leaf, v2.repetition_levels_byte_length) +
        headerCount(this.#file, this.#leaf, v2.definition_levels_byte_length);
      const nulls = headerCount(this.#file, this.#leaf, v2.num_nulls);
      if (levels > bytes.length || levels > whole || nulls > v2.num_values) {
        throw badParquet(this.#file, `a page of column "${this.#leaf.name}" has impossible sizes`);
      }
    }
    const stored = bytes.subarray(levels);
    const values =
      v2?.is_compressed === false || stored.length === 0 ? stored : this.#decompress(stored, whole - levels);
    if (values.length !== whole - levels) {
      throw badParquet(
        this.#file,
        `a page of column "${this.#leaf.name}" has ${values.length} bytes, not ${whole - levels}`,
      );
    }
    let body = values;
    if (levels > 0) {
      body = new Uint8Array(whole);
      body.set(bytes.subarray(0, levels));
      body.set(values, levels);
    }
    const plain: PageHeader = { ...header, compressed_page_size: body.length };
    return {
      body,
      plain: v2 === undefined ? plain : { ...plain, data_page_header_v2: { ...v2, is_compressed: false } },
    };
  }
}

/**
 * The values of one column in one row group, one a row, in order: null where there is none. A column without parts is
 * read page by page, as far as the values are taken; a nested one as a whole.
 *
 * @throws StudioError corpus/bad-parquet, corpus/unsupported-parquet, corpus/parquet-too-large; what the source throws
 */
export async function* readColumnValues(
  source: ByteSource,
  footer: ParquetFooter,
  group: RowGroup,
  column: ParquetColumn,
  signal?: AbortSignal,
): AsyncGenerator<ArrayLike<unknown>> {
  if (!column.isFlat) {
    yield await readNested(source, footer, group, column, signal);
    return;
  }
  for (const leaf of column.leaves) {
    const reader = new LeafReader(source, footer, group, leaf, signal);
    for await (const page of reader.pages) {
      const values = reader.decode(page, undefined);
      if (values === undefined) continue;
      for (let index = 0; index < values.length; index++) {
        if (values[index] === undefined) {
          throw badParquet(source.name, `column "${column.name}" points outside of its dictionary`);
        }
      }
      yield values;
    }
    reader.finish();
  }
}

async function readNested(
  source: ByteSource,
  footer: ParquetFooter,
  group: RowGroup,
  column: ParquetColumn,
  signal?: AbortSignal,
): Promise<ArrayLike<unknown>> {
  const leaves = await Promise.all(
    column.leaves.map(async (leaf): Promise<[string, DecodedArray]> => [leaf.name, await readLeaf(leaf)]),
  );
  return blameFile(source.name, () => {
    const gathered = new Map(leaves);
    assembleNested(gathered, column.tree, PARSERS);
    return gathered.get(column.tree.path.join('.')) ?? [];
  });

  async function readLeaf(leaf: ParquetLeaf): Promise<DecodedArray> {
    const reader = new LeafReader(source, footer, group, leaf, signal);
    if (reader.values > PARQUET_LIMITS.nestedValues) {
      const what = `The number of values in a row group of column "${leaf.name}"`;
      throw parquetTooLarge(source.name, what, reader.values, PARQUET_LIMITS.nestedValues);
    }
    const chunks: DecodedArray[] = [];
    let bytes = 0;
    for await (const page of reader.pages) {
      bytes += page.header.uncompressed_page_size;
      if (bytes > PARQUET_LIMITS.nestedBytes) {
        const what = `A row group of column "${leaf.name}", in bytes,`;
        throw parquetTooLarge(source.name, what, bytes, PARQUET_LIMITS.nestedBytes);
      }
      const values = reader.decode(page, chunks.at(-1));
      // A page goes on in the list that the one before it began.
      if (values !== undefined && values !== chunks.at(-1)) chunks.push(values);
    }
    reader.finish();
    const [only, ...more] = chunks;
    return more.length === 0 ? (only ?? []) : chunks.flatMap((chunk) => Array.from<unknown>(chunk));
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
