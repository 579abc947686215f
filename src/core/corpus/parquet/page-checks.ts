import type { PageHeader } from 'hyparquet';
import type { ParquetLeaf } from './parquet-footer.ts';
import { badParquet, unsupportedParquet } from './parquet-refusals.ts';

/** More values than a run needs: writers fill up the last group of packed values. */
const RUN_SLACK = 512;
const MAX_INDEX_BITS = 31;
const MAX_DELTA_BLOCK = 2 ** 16;
const MAX_MINIBLOCKS = 512;

/** A data page, decompressed: its levels, then its values. */
export interface PageBody {
  readonly bytes: Uint8Array;
  /** Version 2: its levels have their lengths in the header, and none of their own. */
  readonly levels?: { readonly repetition: number; readonly definition: number };
  readonly values: number;
  readonly encoding: string | undefined;
}

/**
 * Checks that the runs of a data page lie in the page and give no more values than it declares: what a decoder would
 * otherwise only find out after it has written them.
 *
 * @throws StudioError corpus/bad-parquet, corpus/unsupported-parquet for an encoding that is not read
 */
export function checkPage(file: string, leaf: ParquetLeaf, { bytes, levels, values, encoding }: PageBody): void {
  const bad = (what: string) => badParquet(file, `a page of column "${leaf.name}" ${what}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const level = (max: number, declared: number | undefined): void => {
    if (max === 0) {
      at += declared ?? 0;
      return;
    }
    if (declared === undefined && at + 4 > bytes.length) throw bad('has no levels');
    const length = declared ?? view.getUint32(at, true);
    if (declared === undefined) at += 4;
    if (length > bytes.length - at) throw bad('ends before its levels do');
    const given = checkRuns(bytes.subarray(at, at + length), 32 - Math.clz32(max), values);
    if (given < values) throw bad('has too few levels');
    at += length;
  };
  level(leaf.maxRepetition, levels?.repetition);
  level(leaf.maxDefinition, levels?.definition);
  if (at > bytes.length) throw bad('ends before its values begin');
  const type = leaf.path.at(-1)?.element.type;
  switch (encoding) {
    case 'PLAIN':
      return;
    case 'PLAIN_DICTIONARY':
    case 'RLE_DICTIONARY': {
      const bits = bytes[at];
      if (bits === undefined && levels === undefined) throw bad('has no values');
      if ((bits ?? 0) > MAX_INDEX_BITS) throw bad('has dictionary indices that are too wide');
      checkRuns(bytes.subarray(at + 1), bits ?? 0, values);
      return;
    }
    case 'RLE':
      if (type !== 'BOOLEAN') throw bad('has run-length values that are no booleans');
      checkRuns(bytes.subarray(at + 4), 1, values);
      return;
    case 'DELTA_BINARY_PACKED':
    case 'DELTA_LENGTH_BYTE_ARRAY': {
      const isText = encoding === 'DELTA_LENGTH_BYTE_ARRAY';
      if (isText ? type !== 'BYTE_ARRAY' : type !== 'INT32' && type !== 'INT64') throw bad('has the wrong type');
      const block = readVarint(bytes, at);
      const miniblocks = readVarint(bytes, block.end);
      if (block.value > MAX_DELTA_BLOCK || miniblocks.value > MAX_MINIBLOCKS || miniblocks.value === 0) {
        throw bad('has delta blocks of an impossible size');
      }
      return;
    }
    default:
      throw unsupportedParquet(file, `the encoding ${encoding ?? 'of a newer version'} in column "${leaf.name}"`);
  }

  /** Values that the runs give, at most `most`. */
  function checkRuns(runs: Uint8Array, width: number, most: number): number {
    let seen = 0;
    for (let offset = 0; seen < most && offset < runs.length; ) {
      const head = readVarint(runs, offset);
      offset = head.end;
      const left = most - seen;
      if (head.value % 2 === 1) {
        const packed = ((head.value - 1) / 2) * 8;
        const needed = Math.min(packed, left);
        if (packed > left + RUN_SLACK || Math.ceil((needed * width) / 8) > runs.length - offset) {
          throw bad('has a run of packed values that does not fit');
        }
        offset += (packed * width) / 8;
        seen += needed;
      } else {
        const repeated = head.value / 2;
        if (repeated > left) throw bad('repeats a value too often');
        offset += Math.ceil(width / 8);
        seen += repeated;
      }
    }
    return seen;
  }

  function readVarint(from: Uint8Array, start: number): { readonly value: number; readonly end: number } {
    let value = 0;
    for (let index = 0; index < 5; index++) {
      const byte = from[start + index];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return { value, end: start + index + 1 };
    }
    throw bad('ends within a number');
  }
}

/** Numbers that a page header must have, as numbers. @throws StudioError corpus/bad-parquet */
export function headerCount(file: string, leaf: ParquetLeaf, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw badParquet(file, `a page of column "${leaf.name}" gives ${String(value)} as a size`);
}

/** The part of the header that belongs to a data page, in either version. */
export function dataHeader({ type, data_page_header, data_page_header_v2 }: PageHeader) {
  return type === 'DATA_PAGE' ? data_page_header : type === 'DATA_PAGE_V2' ? data_page_header_v2 : undefined;
}
