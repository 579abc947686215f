import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileChatTemplate } from './chat-template.ts';
import { buildCorpus, type CorpusOptions, corpusFromTokens, hashSequences } from './corpus.ts';
import type { CorpusDocument } from './corpus-document.ts';
import { readDocuments } from './text-reader.ts';
import { loadTokenizer } from './tokenizer.ts';

const DEMO = new URL('../../../public/demo/', import.meta.url);
const tokenizer = loadTokenizer(
  readFileSync(new URL('model/tokenizer.json', DEMO)),
  readFileSync(new URL('model/tokenizer_config.json', DEMO)),
);
const options: CorpusOptions = { tokenizer, sequenceLength: 512, vocabularySize: 4096 };
const domain = (name: string, ...documents: CorpusDocument[]) => ({ name, source: `${name}.txt`, documents });
const text = (content: string): CorpusDocument => ({ kind: 'text', text: content });

describe('buildCorpus', () => {
  it('packs a bundled domain', async () => {
    const file = 'python.calibration.jsonl';
    const documents = readDocuments(file, readFileSync(new URL(`corpora/${file}`, DEMO)));
    const corpus = await buildCorpus([{ name: 'python', source: file, documents }], options);
    const [python] = corpus.domains;
    expect(python).toMatchObject({ name: 'python', source: file, tokens: 24064 });
    expect(python?.sequences).toHaveLength(47);
    expect(python?.sequences.every((sequence) => sequence.length === 512)).toBe(true);
    expect(python?.windows.every((window, n) => window.length === 513 && window[0] === python.sequences[n]?.[0])).toBe(
      true,
    );
  });

  it('holds a domain to its maximum', async () => {
    const corpus = await buildCorpus([domain('a', text('one two three '.repeat(500)))], {
      ...options,
      maxTokensPerDomain: 600,
    });
    expect(corpus.domains[0]).toMatchObject({ tokens: 512 });
  });

  it('renders chats without a second set of special tokens, and ends them with the end-of-text token', async () => {
    const chatTemplate = compileChatTemplate(tokenizer.chatTemplate ?? '');
    const chat: CorpusDocument = { kind: 'chat', messages: [{ role: 'user', content: '1 + 1' }] };
    const corpus = await buildCorpus([domain('chat', chat)], { ...options, chatTemplate });
    const ids = corpus.domains[0]?.windows[0] ?? new Int32Array(0);
    expect(tokenizer.decode(ids)).toBe('<|im_start|>user\n1 + 1<|im_end|>\n<|endoftext|>');
  });

  it('does not depend on anything but the ids for its hash', async () => {
    const hash = async (...documents: CorpusDocument[]) =>
      (await buildCorpus([domain('a', ...documents)], options)).domains[0]?.hash;
    expect(await hash(text('one'), text('two'))).toBe(await hash(text('one<|endoftext|>two')));
    expect(await hash(text('one'), text('two'))).not.toBe(await hash(text('two'), text('one')));
  });

  it.each([
    ['nothing to tokenise', [domain('a', text(''))], 'empty-text', 'Domain "a" (a.txt) has no text'],
    ['no domain', [], 'empty-text', 'No text was given'],
    ['one name twice', [domain('a', text('x y')), domain('a', text('z y'))], 'duplicate-domain', '"a"'],
    [
      'chats without a template',
      [domain('a', { kind: 'chat', messages: [{ role: 'user', content: 'x' }] })],
      'no-chat-template',
      'Domain "a"',
    ],
  ] as const)('refuses %s', async (_, domains, code, message) => {
    await expect(buildCorpus(domains, options)).rejects.toMatchObject({
      family: 'corpus',
      code,
      message: expect.stringContaining(message),
    });
  });

  it('refuses a tokenizer of a larger model', async () => {
    const built = buildCorpus([domain('a', text('Überraschung'))], { ...options, vocabularySize: 100 });
    await expect(built).rejects.toMatchObject({ code: 'wrong-tokenizer' });
  });

  it('stops when aborted', async () => {
    const built = buildCorpus([domain('a', text('x y'))], { ...options, signal: AbortSignal.abort() });
    await expect(built).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('corpusFromTokens', () => {
  it('runs the sequences whole', async () => {
    const sequences = [Int32Array.of(1, 2, 3), Int32Array.of(4)];
    const corpus = await corpusFromTokens([{ name: 'default', source: 'ids.json', sequences }], 5);
    expect(corpus.domains).toEqual([
      {
        name: 'default',
        source: 'ids.json',
        sequences,
        windows: sequences,
        tokens: 4,
        hash: await hashSequences(sequences),
      },
    ]);
  });

  it('refuses ids of another model', async () => {
    const built = corpusFromTokens([{ name: 'default', source: 'ids.json', sequences: [Int32Array.of(5)] }], 5);
    await expect(built).rejects.toMatchObject({ code: 'wrong-tokenizer' });
  });
});

describe('hashSequences', () => {
  it('is the sha256 of lengths and ids as little-endian 32-bit', async () => {
    const bytes = Buffer.alloc(20);
    [2, 258, 70000, 1, 7].forEach((value, index) => {
      bytes.writeInt32LE(value, 4 * index);
    });
    const expected = createHash('sha256').update(bytes).digest('hex');
    expect(await hashSequences([Int32Array.of(258, 70000), Int32Array.of(7)])).toBe(expected);
  });

  it('tells apart the same ids cut in other places', async () => {
    const whole = await hashSequences([Int32Array.of(1, 2, 3)]);
    expect(await hashSequences([Int32Array.of(1), Int32Array.of(2, 3)])).not.toBe(whole);
  });
});
