import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StudioError } from '../base/errors.ts';
import { type PackingOptions, parseTokenFile, WindowPacker } from './packing.ts';
import { readDocuments } from './text-reader.ts';
import { loadTokenizer } from './tokenizer.ts';

const DEMO = new URL('../../../public/demo/', import.meta.url);
const lists = (windows: readonly Int32Array[]) => windows.map((window) => [...window]);
const documents = (...ids: number[][]) => ids.map((list) => Int32Array.from(list));

function packWindows(given: Iterable<Int32Array>, options: PackingOptions): Int32Array[] {
  const packer = new WindowPacker(options);
  for (const document of given) if (packer.add(document)) break;
  return packer.finish();
}

describe('WindowPacker', () => {
  it('puts the separator after every document and drops what is left over', () => {
    const windows = packWindows(documents([1, 2, 3], [4], [5, 6]), { sequenceLength: 2, separatorId: 0 });
    expect(lists(windows)).toEqual([
      [1, 2, 3],
      [0, 4, 0],
      [5, 6, 0],
    ]);
  });

  it('joins documents directly where there is no separator', () => {
    expect(lists(packWindows(documents([1, 2], [3, 4, 5]), { sequenceLength: 1 }))).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('keeps the one short window when there is no full one', () => {
    expect(lists(packWindows(documents([7]), { sequenceLength: 9, separatorId: 0 }))).toEqual([[7, 0]]);
    expect(packWindows(documents([7]), { sequenceLength: 9 })).toEqual([]);
    expect(packWindows([], { sequenceLength: 9, separatorId: 0 })).toEqual([]);
  });

  it('never runs more than maxTokens, and stops reading there', () => {
    let read = 0;
    const endless = (function* () {
      for (;;) {
        read += 1;
        yield Int32Array.of(1, 2, 3, 4, 5);
      }
    })();
    const windows = packWindows(endless, { sequenceLength: 4, maxTokens: 11 });
    expect(windows.map((window) => window.length)).toEqual([5, 5]);
    expect(read).toBe(2);
    expect(lists(packWindows(documents([1, 2, 3, 4, 5, 6]), { sequenceLength: 4, maxTokens: 3 }))).toEqual([
      [1, 2, 3, 4],
    ]);
  });

  it('refuses lengths that are none', () => {
    expect(() => packWindows([], { sequenceLength: 0 })).toThrow(RangeError);
    expect(() => packWindows([], { sequenceLength: 4, maxTokens: 2.5 })).toThrow(RangeError);
  });

  it('equals concatenating everything and cutting it up', () => {
    const ids = fc.array(fc.array(fc.nat(9), { maxLength: 12 }), { maxLength: 8 });
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 7 }), (texts, sequenceLength) => {
        const all = texts.flatMap((text) => [...text, 10]);
        const length = sequenceLength + 1;
        const expected = Array.from({ length: Math.floor(all.length / length) }, (_, n) =>
          all.slice(n * length, (n + 1) * length),
        );
        if (expected.length === 0 && all.length >= 2) expected.push(all);
        expect(lists(packWindows(documents(...texts), { sequenceLength, separatorId: 10 }))).toEqual(expected);
      }),
    );
  });

  it('gives the numbers of tokens that the demo’s figures were measured on', () => {
    const results = JSON.parse(readFileSync(new URL('results.json', DEMO), 'utf8'));
    const tokenizer = loadTokenizer(
      readFileSync(new URL('model/tokenizer.json', DEMO)),
      readFileSync(new URL('model/tokenizer_config.json', DEMO)),
    );
    for (const split of ['calibration', 'evaluation']) {
      const measured = Object.fromEntries(
        results.domains.map((domain: string) => {
          const file = `${domain}.${split}.jsonl`;
          const read = readDocuments(file, readFileSync(new URL(`corpora/${file}`, DEMO)));
          const ids = read.flatMap((d) =>
            d.kind === 'text' ? [tokenizer.encode(d.text, { addSpecialTokens: true })] : [],
          );
          const windows = packWindows(ids, { sequenceLength: 512, separatorId: tokenizer.eosTokenId });
          return [domain, windows.reduce((sum, window) => sum + window.length - 1, 0)];
        }),
      );
      expect(measured).toEqual(results[`${split}_tokens`]);
    }
  });
});

describe('parseTokenFile', () => {
  const parse = (content: unknown) =>
    parseTokenFile(new TextEncoder().encode(typeof content === 'string' ? content : JSON.stringify(content)));

  it('reads one list of sequences as the default domain', () => {
    expect([...parse([[1, 2], [3]])]).toEqual([['default', documents([1, 2], [3])]]);
  });

  it('reads domains in order, whatever they are called', () => {
    const domains = parse('{"__proto__": [[1]], "constructor": [[2, 3]], "b": [[4]]}');
    expect([...domains.keys()]).toEqual(['__proto__', 'constructor', 'b']);
    expect(domains.get('__proto__')).toEqual(documents([1]));
  });

  it.each([
    ['text that is no JSON', '[[1,', 'bad-token-file', 'not valid JSON'],
    ['a number', '7', 'bad-token-file', 'neither a list nor an object'],
    ['no sequence', '[]', 'empty-text', 'no sequence'],
    ['no domain', '{}', 'empty-text', 'no domain'],
    ['an empty sequence', '{"a": [[1], []]}', 'empty-text', 'Sequence 1 of domain "a"'],
    ['a flat list', '[1, 2]', 'bad-token-file', 'Sequence 0 of domain "default"'],
    ['a domain that is no list', '{"a": 1}', 'bad-token-file', 'Domain "a"'],
    ['a negative id', '[[1], [2, -1]]', 'bad-token-file', 'Sequence 1 of domain "default" has -1 at position 1'],
    ['a fraction', '[[1.5]]', 'bad-token-file', 'has 1.5 at position 0'],
    ['a text', '[["1"]]', 'bad-token-file', 'has "1" at position 0'],
    ['null', '[[null]]', 'bad-token-file', 'has null at position 0'],
    ['an id beyond 32 bits', '[[2147483648]]', 'bad-token-file', 'has 2147483648'],
  ])('refuses %s', (_, content, code, message) => {
    let thrown: unknown;
    try {
      parse(content);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(StudioError);
    expect(thrown).toMatchObject({ family: 'corpus', code, message: expect.stringContaining(message) });
  });
});
