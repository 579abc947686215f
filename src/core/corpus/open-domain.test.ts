import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ByteSource } from '../bytes/byte-source.ts';
import { MemorySource } from '../bytes/memory-source.ts';
import { compileChatTemplate } from './chat-template.ts';
import { buildCorpus } from './corpus.ts';
import { openDomain, type TextFinding } from './open-domain.ts';
import { previewText } from './text-preview.ts';
import { openText } from './text-reader.ts';
import { loadTokenizer } from './tokenizer.ts';

const DEMO = new URL('../../../public/demo/', import.meta.url);
const tokenizer = loadTokenizer(
  readFileSync(new URL('model/tokenizer.json', DEMO)),
  readFileSync(new URL('model/tokenizer_config.json', DEMO)),
);
const parquet = (name: string) =>
  new MemorySource(`${name}.parquet`, readFileSync(new URL(`fixtures/parquet/${name}.parquet`, import.meta.url)));
const lines = (name: string, ...rows: unknown[]) =>
  new MemorySource(name, new TextEncoder().encode(rows.map((row) => JSON.stringify(row)).join('\n')));

/** A source that counts what is read of it. */
function counted(inner: ByteSource): { readonly source: ByteSource; readonly bytes: () => number } {
  let bytes = 0;
  const source: ByteSource = {
    name: inner.name,
    size: inner.size,
    read(offset, length, signal) {
      bytes += length;
      return inner.read(offset, length, signal);
    },
  };
  return { source, bytes: () => bytes };
}

async function texts(domain: Awaited<ReturnType<typeof openDomain>>): Promise<string[]> {
  const found: string[] = [];
  for await (const document of domain.documents) found.push(document.kind === 'text' ? document.text : 'chat');
  return found;
}

describe('a domain', () => {
  const a = lines('a.jsonl', { text: 'one' }, { text: 'two' });
  const b = lines('b.jsonl', { text: 'three' }, { text: null }, { text: 'four' });

  it('goes on from file to file, and opens none before it is needed', async () => {
    const findings: TextFinding[] = [];
    const opened: string[] = [];
    const opener = (source: ByteSource) => async () => {
      opened.push(source.name);
      return source;
    };
    const files = [opener(a), opener(b), opener(lines('c.csv'))];
    const domain = await openDomain({ name: 'd', source: 'x', files, samples: 4 }, (found) => findings.push(found));
    expect(opened).toEqual(['a.jsonl']);
    expect(await texts(domain)).toEqual(['one', 'two', 'three', 'four']);
    expect(opened).toEqual(['a.jsonl', 'b.jsonl']);
    expect(findings).toMatchObject([
      { domain: 'd', file: 'a.jsonl', column: 'text', isDetected: true, holds: 'text', rows: null },
      { file: 'b.jsonl' },
    ]);
  });

  it('takes the first so many documents, not rows', async () => {
    const files = [async () => b];
    expect(await texts(await openDomain({ name: 'd', source: 'x', files, samples: 2 }, () => {}))).toEqual([
      'three',
      'four',
    ]);
    expect(await texts(await openDomain({ name: 'd', source: 'x', files, samples: 1 }, () => {}))).toEqual(['three']);
  });

  it('is refused before it is used where its columns do not tell', async () => {
    const files = [async () => lines('d.jsonl', { one: 'a', two: 'b' })];
    await expect(openDomain({ name: 'd', source: 'x', files }, () => {})).rejects.toMatchObject({
      code: 'ambiguous-columns',
    });
    const domain = await openDomain({ name: 'd', source: 'x', files, column: 'two' }, () => {});
    expect(await texts(domain)).toEqual(['b']);
  });

  it('is read only as far as the token limit needs it', async () => {
    const row = { text: 'The gate sends each token to the experts that score highest. '.repeat(20) };
    const { source, bytes } = counted(lines('long.jsonl', ...Array.from({ length: 3000 }, () => row)));
    const domain = await openDomain({ name: 'd', source: 'x', files: [async () => source] }, () => {});
    const options = { tokenizer, sequenceLength: 64, vocabularySize: 4096 };
    const limited = await buildCorpus([domain], { ...options, maxTokensPerDomain: 640 });
    expect(limited.domains[0]?.tokens).toBe(640);
    expect(bytes()).toBeLessThan(source.size / 10);
  });

  it('has the hash of its text, whatever the text was kept in', async () => {
    const rows = JSON.parse(readFileSync(new URL('fixtures/parquet/rows.json', import.meta.url), 'utf8'))[
      'instructions'
    ];
    const options = {
      tokenizer,
      chatTemplate: compileChatTemplate(tokenizer.chatTemplate ?? ''),
      sequenceLength: 16,
      vocabularySize: 4096,
    };
    const hashOf = async (source: ByteSource, column?: string) => {
      const domain = await openDomain({ name: 'd', source: 'x', files: [async () => source], column }, () => {});
      return (await buildCorpus([domain], options)).domains[0]?.hash;
    };
    const hash = await hashOf(parquet('instructions'));
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(await hashOf(lines('i.jsonl', ...rows))).toBe(hash);
    expect(await hashOf(parquet('instructions'), 'output+instruction')).not.toBe(hash);
  });
});

describe('JSONL in pieces', () => {
  it('has the lines, numbers and offsets of the whole', async () => {
    const filler = 'ü'.repeat(70_000);
    const rows = [{ text: filler }, { text: 'short' }, { text: filler + filler }, { text: '€' }];
    const read: string[] = [];
    for await (const document of (await openText(lines('a.jsonl', ...rows))).documents()) {
      read.push(document.kind === 'text' ? document.text : '');
    }
    expect(read).toEqual(rows.map(({ text }) => text));
    const start = new TextEncoder().encode(`${rows.map((row) => JSON.stringify(row)).join('\n')}\n\n{"text":"`);
    const bytes = new Uint8Array([...start, 0xc3, 0x28]);
    const whole = async () => {
      for await (const document of (await openText(new MemorySource('b.jsonl', bytes))).documents())
        read.push(document.kind);
    };
    await expect(whole()).rejects.toMatchObject({
      code: 'bad-encoding',
      details: { line: 6, offset: start.length + 1 },
    });
  });

  it('gives up a line without an end at its limit', async () => {
    const { source, bytes } = counted(new MemorySource('a.jsonl', new Uint8Array(2 ** 21).fill(0x61)));
    const limits = { maxTextBytes: 100, maxLineBytes: 1000 };
    await expect(openText(source, { limits })).rejects.toMatchObject({ code: 'text-too-large', details: { line: 1 } });
    expect(bytes()).toBeLessThan(2 ** 18);
  });
});

describe('preview', () => {
  const template = compileChatTemplate(tokenizer.chatTemplate ?? '');

  it('shows the column, the rows, and conversations as the model will see them', async () => {
    const preview = await previewText(parquet('conversations'), { chatTemplate: template });
    expect(preview).toMatchObject({
      column: 'conversations',
      choices: ['conversations', 'source'],
      form: 'chat',
      refusal: null,
    });
    expect(preview.rows).toEqual({ count: 2, isEstimate: false });
    expect(preview.samples).toHaveLength(2);
    expect(preview.samples[0]).toBe('<|im_start|>user\n1 + 1?<|im_end|>\n<|im_start|>assistant\n2<|im_end|>\n');
    expect(await previewText(parquet('conversations'))).toMatchObject({
      form: 'plain',
      samples: ['user: 1 + 1?\nassistant: 2', expect.anything()],
    });
    expect((await previewText(parquet('conversations'), { column: 'source' })).samples).toEqual(['a', 'b']);
  });

  it('counts lines, or estimates them', async () => {
    const few = await previewText(lines('a.jsonl', { text: 'a' }, { text: 'b' }));
    expect(few.rows).toEqual({ count: 2, isEstimate: false });
    const row = { text: 'x'.repeat(1000) };
    const many = await previewText(lines('b.jsonl', ...Array.from({ length: 5000 }, () => row)));
    expect(many.rows?.isEstimate).toBe(true);
    expect(many.rows?.count).toBeGreaterThan(4950);
    expect(many.rows?.count).toBeLessThan(5050);
  });

  it('shows long text by its beginning, and plain text without columns', async () => {
    const text = new MemorySource('a.txt', new TextEncoder().encode('long '.repeat(1000)));
    const preview = await previewText(text);
    expect(preview).toMatchObject({ column: null, choices: [], form: 'text' });
    expect(preview.samples[0]).toHaveLength(601);
  });

  it('says what is wrong, and what could be chosen', async () => {
    expect(await previewText(lines('a.jsonl', { one: 'a', two: 'b' }))).toMatchObject({
      column: null,
      choices: ['one', 'two'],
      samples: [],
      refusal: { code: 'ambiguous-columns' },
    });
    const broken = await previewText(lines('a.jsonl', { text: 'a' }, { text: 1 }));
    expect(broken).toMatchObject({ column: 'text', samples: ['a'], refusal: { code: 'bad-line' } });
  });
});
