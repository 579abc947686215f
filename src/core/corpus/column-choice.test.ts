import { describe, expect, it } from 'vitest';
import { chooseColumns, detectColumns, formatChoice, kindsOfRows } from './column-choice.ts';
import type { CorpusDocument } from './corpus-document.ts';
import { documentOf } from './row-document.ts';

const chat = [{ role: 'user', content: 'a' }];
const row = (values: Record<string, unknown>) => ({ number: 1, values: new Map(Object.entries(values)) });
const detect = (...rows: Record<string, unknown>[]) => detectColumns(kindsOfRows(rows.map(row)));
const chosen = (...rows: Record<string, unknown>[]) => {
  const { choice } = detect(...rows);
  return choice === undefined ? undefined : formatChoice(choice);
};

describe('detection', () => {
  it.each([
    [{ id: 1, text: 'a' }, 'text'],
    [{ Text: 'a' }, 'Text'],
    [{ text: 'a', messages: chat }, 'text'],
    [{ content: 'a', messages: chat }, 'messages'],
    [{ conversations: [{ from: 'human', value: 'a' }] }, 'conversations'],
    [{ instruction: 'a', input: '', output: 'b', text: null }, 'instruction+input+output'],
    [{ instruction: 'a', output: 'b' }, 'instruction+output'],
    [{ prompt: 'a', completion: 'b' }, 'prompt+completion'],
    [{ prompt: chat, completion: chat }, 'prompt+completion'],
    [{ system_prompt: 's', question: 'a', response: 'b' }, 'system_prompt+question+response'],
    [{ question: 'a', answer: 'b' }, 'question+answer'],
    [{ problem: 'a', solution: 'b', answer: '3' }, 'problem+solution'],
    [{ only: 'a', count: 2 }, 'only'],
    [{ one: 'a', two: 'b' }, undefined],
    [{ text: 3, label: [1, 2] }, undefined],
  ])('of %j takes %s', (values, expected) => {
    expect(chosen(values)).toBe(expected);
  });

  it('looks at the first rows that hold anything, and lists everything that could be taken', () => {
    expect(chosen({ text: null }, { text: 'a' })).toBe('text');
    expect(chosen({ messages: [] }, { messages: chat })).toBe('messages');
    const { choices } = detect({ extra: 'x', question: 'a', answer: 'b', dialog: chat });
    expect(choices.map(formatChoice)).toEqual(['question+answer', 'dialog', 'extra', 'question', 'answer']);
  });
});

describe('choice', () => {
  const detection = detect({ one: 'a', two: 'b', 'a+b': 'c' });

  it('is what the person names', () => {
    expect(chooseColumns('f', detection, 'one')).toEqual(['one']);
    expect(chooseColumns('f', detection, 'two+one')).toEqual(['two', 'one']);
    expect(chooseColumns('f', detection, 'a+b')).toEqual(['a+b']);
  });

  it.each([
    ['three', 'unknown-column', 'no column "three": it has "one", "two", "a+b"'],
    ['one+three', 'unknown-column', 'no column "three"'],
    [undefined, 'ambiguous-columns', '"one", "two", "a+b"'],
  ])('of %s is refused by name', (wanted, code, message) => {
    expect(() => chooseColumns('f', detection, wanted)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});

describe('documents', () => {
  const document = (values: Record<string, unknown>): CorpusDocument | undefined =>
    documentOf({ name: 'f', unit: 'Row' }, row(values), detect(values).choice ?? [], true);

  it('of an exchange put the instruction and its input into one question', () => {
    expect(document({ system: 's', instruction: 'a', input: 'i', output: 'b' })).toEqual({
      kind: 'chat',
      messages: [
        { role: 'system', content: 's' },
        { role: 'user', content: 'a\n\ni' },
        { role: 'assistant', content: 'b' },
      ],
      plain: 's\n\na\n\ni\n\nb',
    });
    expect(document({ question: 'a', answer: '' })).toMatchObject({ messages: [{ role: 'user', content: 'a' }] });
    expect(document({ question: '', answer: '' })).toBeUndefined();
  });

  it('of an exchange of messages go on in order', () => {
    const completion = [{ role: 'assistant', content: 'b' }];
    expect(document({ prompt: chat, completion })).toEqual({ kind: 'chat', messages: [...chat, ...completion] });
    expect(document({ prompt: 'a', completion })).toMatchObject({ messages: [...chat, ...completion] });
  });

  it('of the other notation have the roles that templates know', () => {
    const conversations = [
      { from: 'system', value: 's' },
      { from: 'human', value: 'a' },
      { from: 'gpt', value: 'b' },
      { from: 'observation', value: 'c' },
    ];
    expect(document({ conversations })).toMatchObject({
      messages: [{ role: 'system' }, { role: 'user', content: 'a' }, { role: 'assistant' }, { role: 'tool' }],
    });
  });

  it('leave out what a message does not have, and nothing that it has', () => {
    const messages = [{ role: 'user', content: 'a', name: null, weight: 0, tool_calls: null }];
    expect(document({ messages, tools: '[{"name":"f"}]' })).toEqual({
      kind: 'chat',
      messages: [{ role: 'user', content: 'a', weight: 0 }],
      tools: [{ name: 'f' }],
    });
  });

  it.each([
    [{ messages: [...chat, { role: 'user', content: null }] }, 'message (number 2) without "role" and "content"'],
    [{ messages: chat, tools: '{' }, '"tools" that are not valid JSON'],
    [{ id: 3 }, 'has no "question", "answer"'],
    [{ question: 3, answer: 'a' }, 'a "question" that is neither text nor a list of messages'],
  ])('of %j are refused', (values, message) => {
    const choice = 'messages' in values ? ['messages'] : ['question', 'answer'];
    expect(() => documentOf({ name: 'f', unit: 'Row' }, row(values), choice, false)).toThrow(
      expect.objectContaining({ code: 'bad-line', message: expect.stringContaining(message) }),
    );
  });
});
