import { describe, expect, it } from 'vitest';
import { StudioError } from '../base/errors.ts';
import { type ReadLimits, readDocuments } from './text-reader.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

function refusal(name: string, bytes: Uint8Array, limits?: ReadLimits): StudioError {
  try {
    readDocuments(name, bytes, limits);
  } catch (error) {
    if (error instanceof StudioError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('plain text', () => {
  it('is one document, as it stands', () => {
    expect(readDocuments('a.TXT', utf8('one\r\n\ttwo \n'))).toEqual([{ kind: 'text', text: 'one\r\n\ttwo \n' }]);
  });

  it('loses a byte order mark at its start only', () => {
    expect(readDocuments('a.txt', utf8('\ufeffone \ufeff two'))).toEqual([{ kind: 'text', text: 'one \ufeff two' }]);
  });

  it('is refused when empty', () => {
    expect(refusal('a.txt', utf8(' \r\n\t'))).toMatchObject({ family: 'corpus', code: 'empty-text' });
    expect(refusal('a.txt', new Uint8Array(0)).message).toContain('"a.txt" has no text');
  });

  it('is refused above the limit', () => {
    const limits = { maxTextBytes: 4, maxLineBytes: 4 };
    expect(readDocuments('a.txt', utf8('four'), limits)).toHaveLength(1);
    expect(refusal('a.txt', utf8('fives'), limits)).toMatchObject({
      code: 'text-too-large',
      details: { bytes: 5, limit: 4 },
    });
  });

  it('is refused with line and offset where it is not UTF-8', () => {
    const bytes = new Uint8Array([...utf8('one\ntwö\n'), 0x61, 0xff, 0x62]);
    expect(refusal('a.txt', bytes)).toMatchObject({
      code: 'bad-encoding',
      details: { file: 'a.txt', line: 3, offset: 10 },
    });
  });

  it('names a character that is cut off at the end', () => {
    const bytes = utf8('ab€').subarray(0, 4);
    expect(refusal('a.txt', bytes)).toMatchObject({ code: 'bad-encoding', details: { line: 1, offset: 4 } });
  });

  it('recognises UTF-16', () => {
    expect(refusal('a.txt', new Uint8Array([0xff, 0xfe, 0x61, 0x00])).message).toContain('but UTF-16');
  });
});

describe('JSONL', () => {
  const read = (text: string) => readDocuments('a.jsonl', utf8(text));

  it('is a document a line, with any line ends, blank lines between and none at the end', () => {
    expect(read('\ufeff{"text":"one"}\r\n\n  \r\n{"text":"two\\n"}')).toEqual([
      { kind: 'text', text: 'one' },
      { kind: 'text', text: 'two\n' },
    ]);
  });

  it('is not split at the other line separators of Unicode', () => {
    expect(read('{"text":"a\u2028b\u0085c"}')).toEqual([{ kind: 'text', text: 'a\u2028b\u0085c' }]);
  });

  it('keeps an empty document among others', () => {
    expect(read('{"text":""}\n{"text":"x"}')).toHaveLength(2);
  });

  it('reads conversations with everything that their messages hold', () => {
    const messages = [
      { role: 'user', content: [{ type: 'text', text: 'hi' }] },
      { role: 'assistant', content: null, tool_calls: [{ name: 'f' }] },
    ];
    const tools = [{ type: 'function' }];
    expect(read(JSON.stringify({ messages, tools, id: 3 }))).toEqual([{ kind: 'chat', messages, tools }]);
    expect(read('{"messages":[{"role":"user","content":"x"}],"tools":null}')).toMatchObject([
      { kind: 'chat', tools: undefined },
    ]);
  });

  it('takes nothing from a prototype that a line plants', () => {
    expect(refusal('a.jsonl', utf8('{"__proto__":{"text":"planted"}}')).code).toBe('no-text-column');
    expect(read('{"__proto__":{"polluted":1},"text":"own"}')).toEqual([{ kind: 'text', text: 'own' }]);
    expect(Object.prototype).not.toHaveProperty('polluted');
  });

  it.each([
    ['no JSON', '{"text": "a', 'is not valid JSON'],
    ['a list', '["a"]', 'is not a JSON object'],
    ['no column of text', '{"id": 3}', 'has no "text"'],
    ['a text that is a number', '{"text": 1}', 'has a "text" that is neither text nor a list of messages'],
    [
      'a message without role',
      '{"messages": [{"role": "user", "content": "a"}, {"content": "a"}]}',
      'message (number 2)',
    ],
    ['a message without content', '{"messages": [{"role": "user"}]}', 'message (number 1)'],
    [
      'tools that are none',
      '{"messages": [{"role": "user", "content": "a"}], "tools": 1}',
      '"tools" that are not a list',
    ],
  ])('names the line with %s', (_, line, message) => {
    const error = refusal('a.jsonl', utf8(`{"text":"fine"}\n\n${line}\n{"text":"fine"}`));
    expect(error).toMatchObject({ family: 'corpus', code: 'bad-line', details: { file: 'a.jsonl', line: 3 } });
    expect(error.message).toContain('Line 3 of "a.jsonl"');
    expect(error.message).toContain(message);
  });

  it('names the line and the offset in the file that are not UTF-8', () => {
    const bytes = new Uint8Array([...utf8('{"text":"a"}\n{"text":"'), 0xc3, 0x28, ...utf8('"}\n')]);
    expect(refusal('a.jsonl', bytes)).toMatchObject({ code: 'bad-encoding', details: { line: 2, offset: 23 } });
  });

  it('refuses a line above the limit, and no other', () => {
    const limits = { maxTextBytes: 4, maxLineBytes: 20 };
    const bytes = utf8('{"text":"short"}\n{"text":"not quite as short"}\n');
    expect(refusal('a.jsonl', bytes, limits)).toMatchObject({
      code: 'text-too-large',
      details: { line: 2, limit: 20 },
    });
  });

  it('holds no document where the text is null or there are no messages', () => {
    expect(read('{"text":null}\n{"text":"x"}')).toEqual([{ kind: 'text', text: 'x' }]);
    expect(read('{"messages":[]}\n{"messages":[{"role":"user","content":"x"}]}')).toHaveLength(1);
  });

  it('may hold text on some lines and conversations on others', () => {
    const kinds = read('{"text":"x"}\n{"messages":[{"role":"user","content":"x"}]}\n{"question":"a","answer":"b"}');
    expect(kinds.map(({ kind }) => kind)).toEqual(['text', 'chat', 'chat']);
  });

  it('is refused when nothing in it is text', () => {
    expect(refusal('a.jsonl', utf8('\n \n')).code).toBe('empty-text');
    expect(refusal('a.jsonl', utf8('{"text":""}\n{"text":" "}')).code).toBe('empty-text');
  });
});

it('refuses other formats by name', () => {
  expect(refusal('model.csv', utf8('a,b'))).toMatchObject({
    code: 'unknown-text-format',
    details: { file: 'model.csv' },
  });
  expect(refusal('README', utf8('x')).code).toBe('unknown-text-format');
});
