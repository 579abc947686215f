import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MeteredPattern, PatternLimitError, PatternMeter } from './metered-pattern.ts';

/** Split patterns as tokenizers in use have them. */
const IN_USE: readonly (readonly [name: string, source: string])[] = [
  ['GPT-2', "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"],
  [
    'cl100k, Qwen, Llama 3',
    "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  ],
  [
    'o200k, gpt-oss',
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?:'[sS]|'[tT])?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  ],
  ['DeepSeek-V3', '[一-龥぀-ゟ゠-ヿ]+'],
  [
    'DeepSeek-V3, words',
    '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
  ],
  ['behind and ahead', '(?<=\\p{L})\\p{N}|(?<!\\p{L})\\p{N}+(?=\\p{P}|$)|^\\s|\\b\\w+\\B'],
  ['merged with the next', '(?:a|b)(?:(?!a|b)[\\s\\S])*'],
  ['lazy', '[\\s\\S]*?(?:,|\\n)|x{2,4}?y|(?:ab?){2}'],
];

const TEXTS = [
  'Hello, world! It’s 2024-05-17; they\'ll say "I\'VE 12345 apples".\r\n\r\n\tfoo_bar(baz);  \n  ',
  '日本語とかな，𝒳 𝔘nicode 😀😀 é́ ﬁ Ǆ 123４５６\u0085\u2028 end   ',
  'aab,xxxxy abab\n,,',
  '',
  '\ud800lone\udc00',
];

function found(text: string, pattern: RegExp): unknown {
  return [
    [...text.matchAll(pattern)].map((match) => [match.index, match[0]]),
    text.replaceAll(pattern, '|'),
    text.split(pattern),
    text.match(pattern),
  ];
}

function expectSame(source: string, text: string): void {
  expect(found(text, new MeteredPattern(source, 'gu')), `/${source}/gu on ${JSON.stringify(text)}`).toEqual(
    found(text, new RegExp(source, 'gu')),
  );
}

function isHalved(text: string, index: number): boolean {
  return index > 0 && (text.codePointAt(index - 1) ?? 0) > 0xffff;
}

/** Expressions of every kind that the matcher knows, small enough to end in the engine as well. */
const expressions = fc.letrec<{ node: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\s', '\\w', '\\p{L}', '\\u{1F600}', '\\ud83d\\ude00', '\\n', '😀'),
    fc.constantFrom('^', '$', '\\b', '\\B', '(?=a)', '(?!b)', '(?<=a)', '(?<!ab)', '(?:)'),
  ),
  node: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    tie('atom'),
    fc.tuple(tie('node'), tie('node')).map(([left, right]) => left + right),
    fc.tuple(tie('node'), tie('node')).map(([left, right]) => `(?:${left}|${right})`),
    fc
      .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{1,}', '{0,2}', '*?', '+?', '??', '{1,2}?'))
      .map(([body, quantifier]) => `(?:${body})${quantifier}`),
    fc.tuple(fc.constantFrom('(?=', '(?!', '(?<=', '(?<!'), tie('node')).map(([open, body]) => `${open}${body})`),
  ),
})).node;

const texts = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '😀', 'é', '\ud83d', '_'), maxLength: 9 });

describe('MeteredPattern', () => {
  it.each(IN_USE)('finds what the engine finds: %s', (_, source) => {
    for (const text of TEXTS) expectSame(source, text);
  });

  it('finds what the engine finds, for expressions and texts of every kind', () => {
    fc.assert(
      fc.property(expressions, texts, (source, text) => {
        // The engine finds empty matches between the halves of a character; there is no such place.
        const matches = [...text.matchAll(new RegExp(source, 'gu'))];
        fc.pre(!matches.some(({ index }) => isHalved(text, index)));
        expectSame(source, text);
      }),
      { numRuns: 1500, seed: 4681 },
    );
  });

  it('begins at lastIndex, and stays there when sticky', () => {
    const [global, sticky] = ['g', 'y'].map((flag) => new MeteredPattern('a+', `${flag}u`));
    if (global === undefined || sticky === undefined) return expect.fail('flags');
    global.lastIndex = 1;
    sticky.lastIndex = 1;
    expect(global.exec('ab aa')?.index).toBe(3);
    expect(global.lastIndex).toBe(5);
    expect(sticky.exec('ab aa')).toBeNull();
    expect(sticky.lastIndex).toBe(0);
  });

  it.each([
    ['(?:a+)+$', `${'a'.repeat(40)}b`],
    ['(?:a|a)*$', `${'a'.repeat(60)}b`],
    ['(?:a|aa)+$', `${'a'.repeat(200)}b`],
    ['(?:\\w*)*=', 'w'.repeat(50)],
    ['[\\s\\S]*[\\s\\S]*[\\s\\S]*!', 'x'.repeat(5000)],
    ['(?<=b(?:a+)+)c', `${'a'.repeat(40)}c`],
  ])('gives up where the engine would go on for ever: %s', (source, text) => {
    const meter = new PatternMeter();
    meter.grant(text.length);
    expect(() => text.match(new MeteredPattern(source, 'gu', meter))).toThrow(PatternLimitError);
  });

  it('refuses what would be dear to prepare', () => {
    const refused: readonly (readonly [string, RegExp])[] = [
      ['(?:(?:(?:a{99}){99}){99}){99}', /repeats too much/],
      ['(?:(?:){9999}){9999}', /repeats too much/],
      [`${'('.repeat(200)}a${')'.repeat(200)}`, /nests more than 64/],
      ['(a)\\1', /refers back/],
      [Array.from({ length: 600 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join(''), /more than 500 sets/],
    ];
    for (const [source, message] of refused) expect(() => new MeteredPattern(source, 'gu')).toThrow(message);
  });
});
