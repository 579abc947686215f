import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StudioError } from '../../base/errors.ts';
import { MemorySource } from '../../bytes/memory-source.ts';
import { openParquet } from './parquet-rows.ts';
import { skimThrift } from './skim-thrift.ts';
import { decompressSnappy } from './snappy.ts';
import { checkZstdFrames } from './zstd-frames.ts';

const FOLDER = new URL('../fixtures/parquet/', import.meta.url);
const FILES = [
  'text-none',
  'text-snappy',
  'text-gzip',
  'text-zstd',
  'text-v2',
  'text-delta-length',
  'chat-snappy',
  'chat-v2',
  'tools',
].map((name) => new Uint8Array(readFileSync(new URL(`${name}.parquet`, FOLDER))));
const CODES = ['bad-parquet', 'unsupported-parquet', 'parquet-too-large'];
/** Rows of the largest fixture: more cannot come of a few bytes changed. */
const MOST_ROWS = 40;

/** Reads everything; a refusal by name is as good as rows. */
async function readWhole(bytes: Uint8Array): Promise<void> {
  try {
    const table = await openParquet(new MemorySource('damaged.parquet', bytes));
    let rows = 0;
    for await (const row of table.rows([...(table.kinds?.keys() ?? [])])) {
      rows = row.number;
      if (rows > MOST_ROWS) break;
    }
  } catch (error) {
    if (!(error instanceof StudioError)) throw error;
    expect(CODES).toContain(error.code);
  }
}

describe('a damaged file', () => {
  const changes = fc.array(
    fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), byte: fc.nat(255) }),
    {
      minLength: 1,
      maxLength: 6,
    },
  );

  it('gives its rows or a refusal by name', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...FILES), changes, fc.boolean(), async (file, edits, inFooter) => {
        const bytes = file.slice();
        // Half of the changes in the description at the end, where each byte counts.
        const from = inFooter ? bytes.length / 2 : 0;
        for (const { at, byte } of edits) bytes[Math.floor(from + at * (bytes.length - from))] = byte;
        await readWhole(bytes);
      }),
      { numRuns: 120 },
    );
  });

  it('may end or go on anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...FILES), fc.nat(), fc.nat(300), async (file, end, middle) => {
        const cut = end % file.length;
        await readWhole(file.slice(0, cut));
        const without = new Uint8Array(file.length - Math.min(middle, file.length - cut));
        without.set(file.subarray(0, cut));
        without.set(file.subarray(cut + (file.length - without.length)), cut);
        await readWhole(without);
      }),
      { numRuns: 40 },
    );
  });
});

describe('bytes that are nothing', () => {
  const refusal = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      // DataView and our own checks alike.
      expect(error).toBeInstanceOf(Error);
    }
  };

  it('make no parser loop or allocate', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(4096), (bytes, length) => {
        refusal(() => decompressSnappy(bytes, length));
        refusal(() => checkZstdFrames(bytes, length));
        refusal(() => skimThrift(bytes, 0, { depth: 8, entries: 100 }));
      }),
      { numRuns: 500 },
    );
  });

  it('are refused where they declare what is not there', () => {
    // A list of 2^28 structures, and lists within lists.
    const list = Uint8Array.of(0x19, 0xfc, 0x80, 0x80, 0x80, 0x80, 0x01);
    expect(() => skimThrift(list, 0, { depth: 8, entries: 1000 })).toThrow('more than 1000 entries');
    const deep = new Uint8Array(64).fill(0x1c);
    expect(() => skimThrift(deep, 0, { depth: 8, entries: 1000 })).toThrow('nested too deeply');
    // 16 bytes for 4 GB.
    const bomb = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0xff, 0xff, 0xff, 0xff, 0x03, 0x00, 0x10, 0x41);
    expect(() => checkZstdFrames(bomb, 1000)).toThrow('stands where 1000 should be');
    const window = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 0x01, 0x00, 0x00);
    expect(() => checkZstdFrames(window, 1000)).toThrow('window');
    expect(() => decompressSnappy(Uint8Array.of(0xff, 0xff, 0xff, 0x7f, 0x00, 0x41), 5)).toThrow('stands where 5');
    expect(() => decompressSnappy(Uint8Array.of(5, 0x0d, 0x01), 5)).toThrow('reaches outside');
  });
});
