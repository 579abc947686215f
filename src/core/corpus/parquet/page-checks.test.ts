import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { MemorySource } from '../../bytes/memory-source.ts';
import { checkPage, type PageBody } from './page-checks.ts';
import { type ParquetLeaf, readParquetFooter } from './parquet-footer.ts';

const leaves = new Map<string, ParquetLeaf>();

beforeAll(async () => {
  for (const file of ['text-none', 'chat-snappy']) {
    const bytes = readFileSync(new URL(`../fixtures/parquet/${file}.parquet`, import.meta.url));
    const footer = await readParquetFooter(new MemorySource(file, bytes));
    for (const { leaves: parts } of footer.columns) for (const leaf of parts) leaves.set(leaf.name, leaf);
  }
});

function check(column: string, encoding: string, bytes: readonly number[], rest: Partial<PageBody> = {}): void {
  const leaf = leaves.get(column);
  if (leaf === undefined) throw new Error(`no column ${column}`);
  checkPage('a.parquet', leaf, { bytes: Uint8Array.from(bytes), encoding, values: 8, ...rest });
}

/** Four bytes of length, then one run that says "there" eight times. */
const LEVELS = [2, 0, 0, 0, 16, 1];

describe('a page', () => {
  it('is let through where its runs fit', () => {
    check('text', 'PLAIN', LEVELS);
    // Eight packed levels of one bit; indices of two bits, packed in one group.
    check('text', 'RLE_DICTIONARY', [2, 0, 0, 0, 3, 0xff, 2, 3, 0, 0]);
    check('text', 'RLE_DICTIONARY', [16, 1, 0, 16], { levels: { repetition: 0, definition: 2 } });
    check('text', 'DELTA_LENGTH_BYTE_ARRAY', [...LEVELS, 0x80, 1, 4, 8, 0]);
  });

  const MILLION = [0x80, 0x80, 0x80, 0x80, 0x04];
  it.each([
    ['no levels', 'text', 'PLAIN', [1, 0], 'has no levels'],
    ['levels beyond its end', 'text', 'PLAIN', [9, 0, 0, 0, 16, 1], 'ends before its levels'],
    ['too few levels', 'text', 'PLAIN', [2, 0, 0, 0, 8, 1], 'too few levels'],
    ['a level a billion times', 'text', 'PLAIN', [6, 0, 0, 0, ...MILLION, 1], 'repeats a value too often'],
    ['a billion packed levels', 'text', 'PLAIN', [6, 0, 0, 0, 0x81, 0x80, 0x80, 0x80, 0x04, 1], 'does not fit'],
    ['an index a billion times', 'text', 'RLE_DICTIONARY', [...LEVELS, 2, ...MILLION, 1], 'repeats a value too often'],
    ['indices of 40 bits', 'text', 'PLAIN_DICTIONARY', [...LEVELS, 40, 16, 1], 'too wide'],
    ['no indices', 'text', 'PLAIN_DICTIONARY', LEVELS, 'has no values'],
    ['text as runs', 'text', 'RLE', LEVELS, 'no booleans'],
    ['text as numbers', 'text', 'DELTA_BINARY_PACKED', [...LEVELS, 0x80, 1, 4], 'wrong type'],
    ['a delta block of a billion', 'text', 'DELTA_LENGTH_BYTE_ARRAY', [...LEVELS, ...MILLION, 4], 'impossible size'],
    ['a billion miniblocks', 'text', 'DELTA_LENGTH_BYTE_ARRAY', [...LEVELS, 0x80, 1, ...MILLION], 'impossible size'],
    ['a number without an end', 'text', 'DELTA_LENGTH_BYTE_ARRAY', [...LEVELS, 0x80], 'ends within a number'],
    ['lists without levels', 'messages.list.element.role', 'PLAIN', [2, 0, 0, 0, 16, 0], 'has no levels'],
  ])('with %s is refused', (_, column, encoding, bytes, message) => {
    expect(() => check(column, encoding, bytes)).toThrow(
      expect.objectContaining({ code: 'bad-parquet', message: expect.stringContaining(message) }),
    );
  });

  it('in an encoding that is not read is refused by its name', () => {
    expect(() => check('text', 'BYTE_STREAM_SPLIT', LEVELS)).toThrow(
      expect.objectContaining({ code: 'unsupported-parquet', message: expect.stringContaining('BYTE_STREAM_SPLIT') }),
    );
  });
});
