import { describe, expect, it } from 'vitest';
import { StudioError } from '../base/errors.ts';
import { loadTokenizer } from './tokenizer.ts';

const LETTERS = Object.fromEntries([...'abcdefgh =!\n'].map((letter, id) => [letter, id]));
const BPE = { type: 'BPE', vocab: LETTERS, merges: [['a', 'b']], unk_token: 'h' };
const bare = { addSpecialTokens: false };

function load(changes: object): ReturnType<typeof loadTokenizer> {
  return loadTokenizer(new TextEncoder().encode(JSON.stringify({ model: BPE, ...changes })), undefined);
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

const split = (Regex: string, behavior = 'Isolated'): object => ({
  pre_tokenizer: { type: 'Split', pattern: { Regex }, behavior, invert: false },
});
const replace = (pattern: object, content: string): object => ({ type: 'Replace', pattern, content });
const sequence = (normalizers: readonly object[]): object => ({ normalizer: { type: 'Sequence', normalizers } });
const nested = (key: string, depth: number): object =>
  depth === 0 ? { type: 'Lowercase' } : { type: 'Sequence', [key]: [nested(key, depth - 1)] };

describe('a pattern that backtracks without end', () => {
  it.each([
    ['isolated', split('(a+)+$')],
    ['removed', split('(a|a)*=', 'Removed')],
    ['merged with the next', split('(\\w*)*=', 'MergedWithNext')],
    ['in a normalizer', sequence([replace({ Regex: '(a*)*=' }, '')])],
    [
      'inside sequences',
      {
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: [{ type: 'Sequence', pretokenizers: [split('(a+)+$')].flatMap(Object.values) }],
        },
      },
    ],
  ])('is given up: %s', (_, changes) => {
    const tokenizer = load(changes);
    expect([...tokenizer.encode('ab', bare)]).not.toHaveLength(0);
    const error = refusal(() => tokenizer.encode(`${'a'.repeat(3000)}b`, bare));
    expect(error).toMatchObject({ family: 'corpus', code: 'unsupported-tokenizer' });
    expect(error.message).toContain('does not come to an end');
    expect(error.nextStep).toContain('token file');
  });

  it('in a decoder', () => {
    const tokenizer = load({
      decoder: { type: 'Sequence', decoders: [replace({ Regex: '(a+)+$' }, ''), { type: 'Fuse' }] },
    });
    expect(tokenizer.decode([0, 1])).toBe('b');
    const long = load({
      model: { ...BPE, vocab: { ...LETTERS, [`${'a'.repeat(50)}b`]: 99 } },
      decoder: replace({ Regex: '(a+)+$' }, ''),
    });
    expect(refusal(() => long.decode([99])).message).toContain('does not come to an end');
  });
});

describe('refused before anything is built', () => {
  it.each<readonly [string, object, string]>([
    ['an immense id', { model: { ...BPE, vocab: { a: 4_000_000_000 } } }, 'an id that is no whole number'],
    ['a negative id', { model: { ...BPE, vocab: { a: -1 } } }, 'an id that is no whole number'],
    ['a fraction for an id', { model: { ...BPE, vocab: { a: 0.5 } } }, 'an id that is no whole number'],
    ['a text for an id', { model: { ...BPE, vocab: { a: '0' } } }, 'an id that is no whole number'],
    ['an added token far away', { added_tokens: [{ id: 2 ** 31, content: 'x' }] }, 'an id that is no whole number'],
    ['a vocabulary of numbers', { model: { type: 'Unigram', vocab: [1, 2] } }, 'not a token with its score'],
    ['scores that are none', { model: { type: 'Unigram', vocab: [['a', 'b']] } }, 'not a token with its score'],
    ['long Unigram tokens', { model: { type: 'Unigram', unk_id: 0, vocab: [['a'.repeat(129), 0]] } }, 'more than 128'],
    [
      'words of any length',
      { model: { type: 'WordPiece', vocab: LETTERS, unk_token: 'h', max_input_chars_per_word: 1e9 } },
      'max_input_chars_per_word',
    ],
    ['sequences in sequences', { normalizer: nested('normalizers', 20_00) }, 'nests more than 16'],
    ['pre-tokenizers in sequences', { pre_tokenizer: nested('pretokenizers', 2000) }, 'nests more than 16'],
    ['decoders in sequences', { decoder: nested('decoders', 2000) }, 'nests more than 16'],
    ['processors in sequences', { post_processor: nested('processors', 2000) }, 'nests more than 16'],
    ['many normalizers', sequence(Array.from({ length: 65 }, () => ({ type: 'NFC' }))), 'more than 64'],
    [
      'a text that doubles',
      sequence(Array.from({ length: 40 }, () => replace({ String: 'a' }, 'aa'))),
      'chain of replacements',
    ],
    ['a text between all letters', sequence([replace({ Regex: '' }, 'x'.repeat(100))]), 'chain of replacements'],
    ['a long pattern', split('[^(\\s|['.repeat(20_000)), 'of 140000 characters'],
    ['a pattern that repeats itself', split('(((a{99}){99}){99}){99}'), 'repeats too much'],
    ['a pattern that refers back', split('(a)\\1'), 'refers back'],
    ['no pattern', { pre_tokenizer: { type: 'Split', behavior: 'Isolated' } }, 'has no pattern'],
    ['merges of numbers', { model: { ...BPE, merges: [1, 2] } }, 'cannot be read as a tokenizer'],
  ])('%s', (_, changes, message) => {
    const error = refusal(() => load(changes));
    expect(error.family).toBe('corpus');
    expect(error.message).toContain(message);
  });
});

it('merges that go round in circles come to an end', () => {
  const merges = [
    ['a', 'b'],
    ['b', 'a'],
    ['ab', 'ab'],
    ['abab', 'a'],
    ['a', 'abab'],
  ];
  const vocab = { ...LETTERS, ab: 20, ba: 21, abab: 22, ababa: 23, aabab: 24 };
  const ids = load({ model: { ...BPE, vocab, merges } }).encode('ab'.repeat(20_000), bare);
  expect(new Set(ids)).toEqual(new Set([22]));
  expect(ids).toHaveLength(10_000);
});
