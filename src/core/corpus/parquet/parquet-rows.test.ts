import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ByteSource } from '../../bytes/byte-source.ts';
import { MemorySource } from '../../bytes/memory-source.ts';
import { openText } from '../text-reader.ts';
import { openParquet } from './parquet-rows.ts';

const FOLDER = new URL('../fixtures/parquet/', import.meta.url);
/** Rows as pyarrow reads them. */
const expected: Record<string, Record<string, unknown>[]> = JSON.parse(
  readFileSync(new URL('rows.json', FOLDER), 'utf8'),
);
const bytesOf = (name: string) => new Uint8Array(readFileSync(new URL(`${name}.parquet`, FOLDER)));
const fixture = (name: string) => new MemorySource(`${name}.parquet`, bytesOf(name));

async function rowsOf(source: ByteSource, columns?: readonly string[]): Promise<Record<string, unknown>[]> {
  const table = await openParquet(source);
  const rows: Record<string, unknown>[] = [];
  for await (const { number, values } of table.rows(columns ?? [...(table.kinds?.keys() ?? [])])) {
    expect(number).toBe(rows.length + 1);
    rows.push(Object.fromEntries(values));
  }
  return rows;
}

describe('rows', () => {
  it.each([
    'text-none',
    'text-snappy',
    'text-gzip',
    'text-zstd',
    'text-v2',
    'text-plain',
    'text-delta-length',
    'chat-snappy',
    'chat-v2',
    'conversations',
    'instructions',
    'tools',
    'no-rows',
    'numbers',
  ])('of %s are those that pyarrow reads', async (name) => {
    expect(await rowsOf(fixture(name))).toEqual(expected[name]);
    expect((await openParquet(fixture(name))).rowCount).toBe(expected[name]?.length);
  });

  it.each([
    ['long-zstd', 'of several blocks'],
    ['long-snappy', 'with copies of every length'],
  ])('of %s hold a page %s', async (name) => {
    const [row] = await rowsOf(fixture(name));
    const hash = createHash('sha256').update(String(row?.['text'])).digest('hex');
    expect(hash).toBe(expected[name]?.[0]?.['sha256']);
  });

  it('are read as far as they are taken, and of the columns that are asked for', async () => {
    const inner = fixture('text-none');
    const ranges: [number, number][] = [];
    const source: ByteSource = {
      name: inner.name,
      size: inner.size,
      read(offset, length) {
        ranges.push([offset, length]);
        return inner.read(offset, length);
      },
    };
    const table = await openParquet(source);
    expect(ranges).toHaveLength(1);
    ranges.length = 0;
    for await (const { number } of table.rows(['text'])) if (number === 17) break;
    const firstGroups = ranges.length;
    expect(firstGroups).toBe(2);
    ranges.length = 0;
    await rowsOf(source, ['text']);
    expect(ranges).toHaveLength(1 + 3);
    const whole = ranges.slice(1).reduce((sum, [, length]) => sum + length, 0);
    ranges.length = 0;
    await rowsOf(source);
    expect(ranges.slice(1).reduce((sum, [, length]) => sum + length, 0)).toBeGreaterThan(whole);
  });
});

describe('columns', () => {
  const detected = async (name: string) => {
    const { detection } = await openText(fixture(name));
    return { choice: detection?.choice, choices: detection?.choices };
  };

  it('are found by their types and names', async () => {
    expect(await detected('text-snappy')).toEqual({ choice: ['text'], choices: [['text'], ['label']] });
    expect(await detected('chat-v2')).toEqual({ choice: ['messages'], choices: [['messages'], ['prompt_id']] });
    expect(await detected('conversations')).toMatchObject({ choice: ['conversations'] });
    expect(await detected('instructions')).toMatchObject({ choice: ['instruction', 'input', 'output'] });
    expect(await detected('tools')).toMatchObject({ choice: ['messages'] });
    expect(await detected('numbers')).toEqual({ choice: undefined, choices: [] });
  });

  it('make documents', async () => {
    const read = async (name: string, column?: string) => {
      const documents = [];
      for await (const document of (await openText(fixture(name), { column })).documents()) documents.push(document);
      return documents;
    };
    expect(await read('conversations')).toMatchObject([
      {
        messages: [
          { role: 'user', content: '1 + 1?' },
          { role: 'assistant', content: '2' },
        ],
      },
      { messages: [{ role: 'system' }, { role: 'user' }, { role: 'assistant', content: '4' }] },
    ]);
    expect(await read('instructions')).toEqual([
      {
        kind: 'chat',
        messages: [
          { role: 'user', content: 'Add.\n\n1 and 2' },
          { role: 'assistant', content: '3' },
        ],
        plain: 'Add.\n\n1 and 2\n\n3',
      },
      {
        kind: 'chat',
        messages: [
          { role: 'user', content: 'Name a colour.' },
          { role: 'assistant', content: 'Blue.' },
        ],
        plain: 'Name a colour.\n\nBlue.',
      },
    ]);
    expect(await read('tools')).toEqual([
      {
        kind: 'chat',
        messages: [
          { role: 'user', content: 'Weather?', weight: 1, masked: false },
          { role: 'assistant', content: null, tool_calls: [{ name: 'weather', id: 7 }], masked: true },
        ],
        tools: [{ type: 'function', function: { name: 'weather' } }],
      },
    ]);
    expect(await read('text-v2', 'label')).toHaveLength(40);
    expect(await read('text-v2')).toHaveLength(36);
    await expect(read('text-v2', 'body')).rejects.toMatchObject({ code: 'unknown-column' });
    await expect(read('numbers')).rejects.toMatchObject({ code: 'no-text-column' });
  });
});

describe('refusals', () => {
  const damaged = (change: (bytes: Uint8Array) => Uint8Array | undefined) => {
    const bytes = bytesOf('text-snappy');
    return new MemorySource('damaged.parquet', change(bytes) ?? bytes);
  };

  it.each([
    ['an empty file', () => new Uint8Array(0), 'it has 0 bytes'],
    ['a file without the mark', (bytes: Uint8Array) => bytes.subarray(0, -1), 'PAR1'],
    [
      'a footer longer than the file',
      (bytes: Uint8Array) => {
        new DataView(bytes.buffer).setUint32(bytes.length - 8, 0x00ffffff, true);
        return undefined;
      },
      'does not fit',
    ],
    [
      'a footer of another length',
      (bytes: Uint8Array) => {
        new DataView(bytes.buffer).setUint32(bytes.length - 8, 100, true);
        return undefined;
      },
      'cannot be read as parquet',
    ],
    [
      'a page that is not what it says',
      (bytes: Uint8Array) => {
        bytes.fill(0xff, 4, 80);
        return undefined;
      },
      'page of column "id"',
    ],
  ])('name what is wrong with %s', async (_, change, message) => {
    await expect(rowsOf(damaged(change))).rejects.toMatchObject({
      family: 'corpus',
      code: 'bad-parquet',
      details: { file: 'damaged.parquet' },
      message: expect.stringContaining(message),
    });
  });

  it.each([
    ['brotli', 'BROTLI compression in column "id"'],
    ['delta-strings', 'DELTA_BYTE_ARRAY'],
  ])('name what is not supported in %s', async (name, message) => {
    await expect(rowsOf(fixture(name))).rejects.toMatchObject({
      code: 'unsupported-parquet',
      message: expect.stringContaining(message),
    });
  });

  it('name an encrypted file', async () => {
    const source = damaged((bytes) => {
      bytes[bytes.length - 1] = 0x45;
      return undefined;
    });
    await expect(rowsOf(source)).rejects.toMatchObject({ code: 'unsupported-parquet' });
  });
});
