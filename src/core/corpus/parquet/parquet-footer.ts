import type { ColumnMetaData, FileMetaData, RowGroup, SchemaTree } from 'hyparquet';
import { parquetMetadata, parquetSchema } from 'hyparquet/src/metadata.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel, isFlatColumn } from 'hyparquet/src/schema.js';
import type { ByteSource } from '../../bytes/byte-source.ts';
import { badParquet, blameFile, parquetTooLarge, unsupportedParquet } from './parquet-refusals.ts';
import { skimThrift } from './skim-thrift.ts';

/** Values of one kind in the file: a column without parts, or one part of a nested column. */
export interface ParquetLeaf {
  /** From the root of the schema down to the leaf. */
  readonly path: readonly SchemaTree[];
  /** `messages.list.element.role` */
  readonly name: string;
  /** Its place among the chunks of a row group. */
  readonly index: number;
  readonly maxDefinition: number;
  readonly maxRepetition: number;
}

/** A column at the top of the schema. */
export interface ParquetColumn {
  readonly name: string;
  readonly tree: SchemaTree;
  /** True when each row holds one value or null. */
  readonly isFlat: boolean;
  readonly leaves: readonly ParquetLeaf[];
}

export interface ParquetFooter {
  readonly columns: readonly ParquetColumn[];
  readonly groups: readonly RowGroup[];
  /** Rows of all groups together. */
  readonly rows: number;
  /** Offset of the first byte that belongs to no column chunk any more. */
  readonly dataEnd: number;
}

export const PARQUET_LIMITS = {
  /** Bytes of the description at the end of the file. */
  footerBytes: 2 ** 24,
  /** Structures and list entries of the footer. */
  footerEntries: 2_000_000,
  schemaElements: 4096,
  schemaDepth: 16,
  /** Bytes of one page, stored and decompressed. */
  pageBytes: 2 ** 27,
  /** Values of one page, nulls included. */
  pageValues: 2 ** 22,
  /** Values of one part of a nested column in one row group, nulls included: it is put together as a whole. */
  nestedValues: 2 ** 21,
  /** Bytes of one part of a nested column in one row group, decompressed. */
  nestedBytes: 2 ** 28,
} as const;

/** PAR1, read as a little-endian number. */
const MARK = 0x31524150;
/** PARE: the footer is encrypted. */
const ENCRYPTED_MARK = 0x45524150;
/** Footers of most files lie within these last bytes: one read. */
const FIRST_READ = 2 ** 16;
const TAIL = 8;
/** Names that mean something on every object of JavaScript. */
const RESERVED_NAME = '__proto__';

/**
 * Reads what a parquet file says of itself (apache/parquet-format), from its end.
 * @throws StudioError corpus/bad-parquet, corpus/unsupported-parquet, corpus/parquet-too-large; what the source throws
 */
export async function readParquetFooter(source: ByteSource, signal?: AbortSignal): Promise<ParquetFooter> {
  const { name, size } = source;
  if (size < TAIL + 4) throw badParquet(name, `it has ${size} bytes`);
  const first = Math.min(size, FIRST_READ);
  let bytes = await source.read(size - first, first, signal);
  const tail = new DataView(bytes.buffer, bytes.byteOffset + first - TAIL, TAIL);
  const mark = tail.getUint32(4, true);
  if (mark === ENCRYPTED_MARK) throw unsupportedParquet(name, 'encryption');
  if (mark !== MARK) throw badParquet(name, 'it does not end with the mark PAR1');
  const length = tail.getUint32(0, true);
  if (length > size - TAIL - 4) throw badParquet(name, `its footer of ${length} bytes does not fit into the file`);
  if (length > PARQUET_LIMITS.footerBytes) {
    throw parquetTooLarge(name, 'The footer, in bytes,', length, PARQUET_LIMITS.footerBytes);
  }
  if (length + TAIL > first) bytes = await source.read(size - TAIL - length, length + TAIL, signal);
  const footer = bytes.subarray(bytes.length - TAIL - length);
  return blameFile(name, () => {
    const limits = { depth: PARQUET_LIMITS.schemaDepth, entries: PARQUET_LIMITS.footerEntries };
    if (skimThrift(footer, 0, limits) > length) throw badParquet(name, 'its footer is cut off');
    return footerOf(name, size - TAIL - length, parquetMetadata(footer, { geoparquet: false }));
  });
}

function footerOf(file: string, dataEnd: number, { schema, row_groups, num_rows }: FileMetaData): ParquetFooter {
  if (schema.length > PARQUET_LIMITS.schemaElements) {
    throw parquetTooLarge(file, 'The number of columns and their parts', schema.length, PARQUET_LIMITS.schemaElements);
  }
  const root = parquetSchema({ schema });
  if (root.count !== schema.length) throw badParquet(file, 'its schema has parts that belong to no column');
  let index = 0;
  const columns = root.children.map((tree): ParquetColumn => {
    const leaves: ParquetLeaf[] = [];
    const visit = (path: readonly SchemaTree[], node: SchemaTree): void => {
      if (path.length > PARQUET_LIMITS.schemaDepth) throw badParquet(file, 'its schema is nested too deeply');
      if (node.element.name === '' || node.element.name === RESERVED_NAME) {
        throw badParquet(file, `a column is named "${node.element.name}"`);
      }
      const here = [...path, node];
      for (const child of node.children) visit(here, child);
      if (node.children.length > 0) return;
      leaves.push({
        path: here,
        name: node.path.join('.'),
        index: index++,
        maxDefinition: getMaxDefinitionLevel(here),
        maxRepetition: getMaxRepetitionLevel(here),
      });
    };
    visit([root], tree);
    const isFlat = leaves.length === 1 && isFlatColumn([root, tree]);
    return { name: tree.element.name, tree, isFlat, leaves };
  });
  if (new Set(columns.map(({ name }) => name)).size !== columns.length) {
    throw badParquet(file, 'two of its columns have the same name');
  }
  let rows = 0;
  for (const group of row_groups) {
    rows += count(file, group.num_rows, 'rows');
    if (group.columns.length !== index) throw badParquet(file, 'a row group lacks a column');
  }
  if (rows !== count(file, num_rows, 'rows')) throw badParquet(file, 'its row groups hold another number of rows');
  return { columns, groups: row_groups, rows, dataEnd };
}

/** Where the values of a leaf lie in a row group. */
export interface ColumnChunk {
  readonly start: number;
  readonly end: number;
  readonly values: number;
  readonly meta: ColumnMetaData;
}

/** @throws StudioError corpus/bad-parquet when the footer puts it outside of the file, or it is another column's */
export function locateChunk(file: string, footer: ParquetFooter, group: RowGroup, leaf: ParquetLeaf): ColumnChunk {
  const chunk = group.columns[leaf.index];
  const meta = chunk?.meta_data;
  if (chunk?.file_path !== undefined && chunk.file_path !== '') throw unsupportedParquet(file, 'data in further files');
  if (meta === undefined || meta.path_in_schema.join('.') !== leaf.name) {
    throw badParquet(file, `a row group has no column "${leaf.name}"`);
  }
  const element = leaf.path.at(-1)?.element;
  if (meta.type !== element?.type) throw badParquet(file, `column "${leaf.name}" has two types`);
  const dictionary = Number(meta.dictionary_page_offset ?? 0);
  const data = count(file, meta.data_page_offset, 'offset');
  // Some writers give a dictionary offset of 0 for none.
  const start = dictionary > 0 && dictionary < data ? dictionary : data;
  const end = start + count(file, meta.total_compressed_size, 'size');
  if (start < 4 || end > footer.dataEnd) throw badParquet(file, `column "${leaf.name}" lies outside of the file`);
  return { start, end, values: count(file, meta.num_values, 'values'), meta };
}

function count(file: string, value: unknown, what: string): number {
  if (typeof value === 'bigint' && value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw badParquet(file, `it gives ${String(value)} as a number of ${what}`);
}
