import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { StudioError } from '../base/errors.ts';
import { readDocuments } from './text-reader.ts';
import { checkVocabulary, loadTokenizer, type TextTokenizer } from './tokenizer.ts';

const DEMO = new URL('../../../public/demo/', import.meta.url);
const tokenizerJson = readFileSync(new URL('model/tokenizer.json', DEMO));
const tokenizerConfig = readFileSync(new URL('model/tokenizer_config.json', DEMO));

const oracle = z
  .object({
    files: z.record(z.string(), z.object({ counts: z.array(z.number()), sha256: z.array(z.string()) })),
    strings: z.record(z.string(), z.object({ text: z.string(), ids: z.array(z.number()) })),
    longStrings: z.record(
      z.string(),
      z.object({ parts: z.array(z.tuple([z.string(), z.number()])), count: z.number(), sha256: z.string() }),
    ),
    variants: z.record(
      z.string(),
      z.object({ changes: z.record(z.string(), z.unknown()), sha256: z.record(z.string(), z.string()) }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('./fixtures/demo-token-ids.json', import.meta.url), 'utf8')));

const demo = loadTokenizer(tokenizerJson, tokenizerConfig);
const bare = { addSpecialTokens: true };

function digest(ids: Int32Array): string {
  return createHash('sha256').update(ids).digest('hex').slice(0, 16);
}

/** The demo's tokenizer.json with some of its fields replaced. */
function altered(changes: Record<string, unknown>): TextTokenizer {
  const json = { ...JSON.parse(tokenizerJson.toString('utf8')), ...changes };
  return loadTokenizer(new TextEncoder().encode(JSON.stringify(json)), undefined);
}

function refusal(work: () => unknown): StudioError {
  try {
    work();
  } catch (error) {
    if (error instanceof StudioError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('ids equal the Rust library’s', () => {
  it('covers all sixteen bundled files', () => {
    expect(Object.keys(oracle.files)).toHaveLength(16);
  });

  it.each(Object.entries(oracle.files))('on %s', (file, { counts, sha256 }) => {
    const documents = readDocuments(file, readFileSync(new URL(`corpora/${file}`, DEMO)));
    const ids = documents.map((document) =>
      document.kind === 'text' ? demo.encode(document.text, bare) : new Int32Array(0),
    );
    expect(ids.map((document) => document.length)).toEqual(counts);
    expect(ids.map(digest)).toEqual(sha256);
  });

  it.each(Object.entries(oracle.strings))('on text with %s', (_, { text, ids }) => {
    expect([...demo.encode(text, bare)]).toEqual(ids);
  });

  it.each(Object.entries(oracle.longStrings))('on %s', (_, { parts, count, sha256 }) => {
    const ids = demo.encode(parts.map(([part, times]) => part.repeat(times)).join(''), bare);
    expect(ids).toHaveLength(count);
    expect(digest(ids)).toBe(sha256);
  });

  it.each(Object.entries(oracle.variants))('with another part: %s', (_, { changes, sha256 }) => {
    const tokenizer = altered(changes);
    const differing = Object.entries(sha256).filter(
      ([label, expected]) => digest(tokenizer.encode(oracle.strings[label]?.text ?? '', bare)) !== expected,
    );
    expect(differing.map(([label]) => label)).toEqual([]);
  });
});

describe('the demo’s tokenizer', () => {
  it('knows its special tokens and its size', () => {
    expect(demo.eosTokenId).toBe(0);
    expect(demo.specialTokenId('<|im_end|>')).toBe(2);
    expect(demo.specialTokenId('the')).toBeUndefined();
    expect(demo.vocabularySize).toBe(4096);
    expect(demo.specialTokens.get('eos_token')).toBe('<|endoftext|>');
    expect(demo.chatTemplate).toContain('<|im_start|>');
  });

  it('decodes what it encoded', () => {
    for (const { text } of Object.values(oracle.strings)) expect(demo.decode(demo.encode(text, bare))).toBe(text);
    expect(demo.decode([])).toBe('');
  });
});

describe('what the files may say', () => {
  it('reads special tokens written as objects, and the default one of several templates', () => {
    const config = {
      eos_token: { __type: 'AddedToken', content: '<|im_end|>' },
      chat_template: [
        { name: 'tool_use', template: 'a' },
        { name: 'default', template: 'b' },
      ],
    };
    const tokenizer = loadTokenizer(tokenizerJson, new TextEncoder().encode(JSON.stringify(config)));
    expect(tokenizer.eosTokenId).toBe(2);
    expect(tokenizer.chatTemplate).toBe('b');
  });

  it('adds special tokens to bare text only where asked', () => {
    const post = oracle.variants['a template with a first token']?.changes ?? {};
    const tokenizer = altered(post);
    expect([...tokenizer.encode('', { addSpecialTokens: true })]).toEqual([1]);
    expect([...tokenizer.encode('', { addSpecialTokens: false })]).toEqual([]);
    expect(tokenizer.encode('a', { addSpecialTokens: false })).not.toContain(1);
  });

  it('takes a file without tokenizer_config.json', () => {
    const tokenizer = loadTokenizer(tokenizerJson, undefined);
    expect(tokenizer.eosTokenId).toBeUndefined();
    expect(tokenizer.chatTemplate).toBeUndefined();
  });

  it('keeps vocabulary entries named like object members', () => {
    const vocab = JSON.parse('{"__proto__": 0, "constructor": 1, "a": 2}');
    const tokenizer = altered({ model: { type: 'BPE', vocab, merges: [] }, pre_tokenizer: null, added_tokens: [] });
    expect(tokenizer.vocabularySize).toBe(3);
    expect([...tokenizer.encode('aa', bare)]).toEqual([2, 2]);
  });
});

describe('refusals', () => {
  const bytes = (content: unknown) => new TextEncoder().encode(JSON.stringify(content));

  it.each([
    ['no JSON', new Uint8Array([0x7b, 0xff]), 'not valid JSON'],
    ['a list', bytes([1]), 'not a JSON object'],
    ['another JSON file', bytes({ model_type: 'qwen3_moe' }), 'has no "model"'],
    ['no vocabulary', bytes({ model: { type: 'BPE', merges: [] } }), 'no vocabulary'],
    ['no merges', bytes({ model: { type: 'BPE', vocab: { a: 0 } } }), 'no merges'],
    [
      'broken added tokens',
      bytes({ model: { type: 'BPE', vocab: { a: 0 }, merges: [] }, added_tokens: [{}] }),
      'added_tokens',
    ],
  ])('a broken tokenizer.json: %s', (_, file, message) => {
    const error = refusal(() => loadTokenizer(file, undefined));
    expect(error).toMatchObject({ family: 'corpus', code: 'bad-tokenizer', details: { file: 'tokenizer.json' } });
    expect(error.message).toContain(message);
  });

  it('a broken tokenizer_config.json', () => {
    const error = refusal(() => loadTokenizer(tokenizerJson, new TextEncoder().encode('{')));
    expect(error).toMatchObject({ code: 'bad-tokenizer', details: { file: 'tokenizer_config.json' } });
  });

  const split = (fields: object) => ({
    pre_tokenizer: { type: 'Split', pattern: { Regex: 'a' }, behavior: 'Isolated', ...fields },
  });
  const model = JSON.parse(tokenizerJson.toString('utf8')).model;
  it.each<[string, Record<string, unknown>]>([
    ['WordLevel', { model: { type: 'WordLevel', vocab: { a: 0 }, unk_token: 'a' } }],
    ['dropout', { model: { ...model, dropout: 0.1 } }],
    ['Precompiled', { normalizer: { type: 'Sequence', normalizers: [{ type: 'Precompiled' }] } }],
    ['Nmt', { normalizer: { type: 'Nmt' } }],
    ['UnicodeScripts', { pre_tokenizer: { type: 'UnicodeScripts' } }],
    ['Isolated, inverted', split({ invert: true })],
    ['atomic group', split({ pattern: { Regex: '(?>a|b)c' } })],
    ['Unterminated group', split({ pattern: { Regex: '(a' } })],
    ['\\G', split({ pattern: { Regex: '\\Ga' } })],
    ['single_word', { added_tokens: [{ id: 0, content: '<|endoftext|>', single_word: true }] }],
    ['Unheard', { post_processor: { type: 'Unheard' } }],
    ['Unheard', { decoder: { type: 'Unheard' } }],
  ])('a feature by name: %s', (name, changes) => {
    const error = refusal(() => altered(changes));
    expect(error).toMatchObject({ family: 'corpus', code: 'unsupported-tokenizer' });
    expect(error.message).toContain(name);
    expect(error.nextStep).toContain('token file');
  });

  it('ids that the model has no row for', () => {
    expect(() => checkVocabulary([0, 4095], 4096)).not.toThrow();
    const error = refusal(() => checkVocabulary(Int32Array.of(1, 4096, 5000), 4096));
    expect(error).toMatchObject({
      family: 'corpus',
      code: 'wrong-tokenizer',
      details: { id: 4096, vocabularySize: 4096 },
    });
    expect(refusal(() => checkVocabulary([-1], 4096)).code).toBe('wrong-tokenizer');
  });
});
