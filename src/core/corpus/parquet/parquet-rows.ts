import type { RowGroup } from 'hyparquet';
import { throwIfAborted } from '../../base/abort.ts';
import type { ByteSource } from '../../bytes/byte-source.ts';
import type { ColumnKind, Row, RowTable } from '../rows.ts';
import { readColumnValues } from './column-values.ts';
import { type ParquetColumn, type ParquetFooter, readParquetFooter } from './parquet-footer.ts';
import { badParquet } from './parquet-refusals.ts';

/**
 * Opens a parquet file as a table of rows: its footer is read, and of its columns only those that are asked for, row group by
 * row group, as far as the rows are taken.
 *
 * @throws StudioError corpus/bad-parquet, corpus/unsupported-parquet, corpus/parquet-too-large; what the source throws
 */
export async function openParquet(source: ByteSource, signal?: AbortSignal): Promise<RowTable> {
  const footer = await readParquetFooter(source, signal);
  const byName = new Map(footer.columns.map((column) => [column.name, column]));
  return {
    name: source.name,
    unit: 'Row',
    kinds: new Map(footer.columns.map((column) => [column.name, kindOf(column)])),
    rowCount: footer.rows,
    rows: (wanted) =>
      readRows(
        source,
        footer,
        wanted.flatMap((name) => byName.get(name) ?? []),
        signal,
      ),
  };
}

/** What a column holds, by the schema alone. */
function kindOf({ tree, leaves, isFlat }: ParquetColumn): ColumnKind {
  if (isFlat) {
    const { type, converted_type, logical_type } = tree.element;
    const isText = converted_type === 'UTF8' || logical_type?.type === 'STRING' || (!converted_type && !logical_type);
    return type === 'BYTE_ARRAY' && isText ? 'text' : 'other';
  }
  const isList = leaves.some(({ maxRepetition }) => maxRepetition > 0);
  const keys = new Set(leaves.flatMap(({ path }) => path.map(({ element }) => element.name)));
  const isMessages = (keys.has('role') && keys.has('content')) || (keys.has('from') && keys.has('value'));
  return isList && isMessages ? 'messages' : 'other';
}

async function* readRows(
  source: ByteSource,
  footer: ParquetFooter,
  columns: readonly ParquetColumn[],
  signal?: AbortSignal,
): AsyncGenerator<Row> {
  if (columns.length === 0) return;
  let number = 0;
  for (const group of footer.groups) {
    if (group.num_rows === 0n) continue;
    for await (const values of groupRows(source, footer, group, columns, signal)) {
      throwIfAborted(signal);
      number += 1;
      yield { number, values };
    }
  }
}

async function* groupRows(
  source: ByteSource,
  footer: ParquetFooter,
  group: RowGroup,
  columns: readonly ParquetColumn[],
  signal?: AbortSignal,
): AsyncGenerator<ReadonlyMap<string, unknown>> {
  const streams = columns.map((column) => ({
    column,
    pages: readColumnValues(source, footer, group, column, signal),
    values: [] as ArrayLike<unknown>,
    at: 0,
  }));
  const rows = Number(group.num_rows);
  for (let row = 0; row < rows; row++) {
    const values = new Map<string, unknown>();
    for (const stream of streams) {
      while (stream.at >= stream.values.length) {
        const page = await stream.pages.next();
        if (page.done === true) throw badParquet(source.name, `column "${stream.column.name}" has too few rows`);
        stream.values = page.value;
        stream.at = 0;
      }
      values.set(stream.column.name, plainValue(stream.values[stream.at++]));
    }
    yield values;
  }
  for (const { column, pages, values, at } of streams) {
    if (at < values.length || (await pages.next()).done !== true) {
      throw badParquet(source.name, `column "${column.name}" has too many rows`);
    }
  }
}

/** A value as JSON would carry it: whole numbers as numbers, dates as text, and of a structure only what it has. */
function plainValue(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value !== 'object') return value;
  if (ArrayBuffer.isView(value)) return null;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plainValue(part)]));
}
