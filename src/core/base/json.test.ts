import { describe, expect, it } from 'vitest';
import { parseConfigText } from './json.ts';

describe('parseConfigText', () => {
  it('reads the numbers that JSON lacks as null, outside of strings alone', () => {
    const text = '{"a":NaN,"b":[-Infinity,Infinity, -1],"NaN":"-Infinity \\" NaN","c":"\\\\","d":NaN}';
    expect(parseConfigText(text)).toEqual({
      a: null,
      b: [null, null, -1],
      NaN: '-Infinity " NaN',
      c: '\\',
      d: null,
    });
  });

  it.each(['{"a":NaNa}', '{"a":xNaN}', '{"a":-NaN1}', '{"a":"NaN', '{a:1}', '', '{"a":Infinity_}'])(
    'takes %j for no JSON',
    (text) => {
      expect(() => parseConfigText(text)).toThrow(SyntaxError);
    },
  );

  it('refuses what lies too deep, before anything recurses into it', () => {
    const nested = (depth: number): string => `${'{"a":['.repeat(depth / 2)}${']}'.repeat(depth / 2)}`;
    expect(() => parseConfigText(nested(128))).not.toThrow();
    expect(() => parseConfigText(nested(130))).toThrow('more than 128');
    expect(() => parseConfigText('['.repeat(4_000_000))).toThrow('more than 128');
  });

  it('takes time in proportion to the text', () => {
    // An expression over whole strings keeps every position of one, or tries each quote of an unfinished one.
    const long = 'x'.repeat(8_000_000);
    expect(parseConfigText(`{"a":"${long}"}`)).toEqual({ a: long });
    expect(() => parseConfigText(`{"a":"${'\\"'.repeat(2_000_000)}`)).toThrow(SyntaxError);
  });
});
