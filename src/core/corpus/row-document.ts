import { StudioError } from '../base/errors.ts';
import type { ChatMessage } from './chat-template.ts';
import { type ColumnChoice, detectColumns, isSystemColumn, kindsOfRows, TOOLS_COLUMN } from './column-choice.ts';
import type { CorpusDocument } from './corpus-document.ts';
import type { Row, RowTable } from './rows.ts';

/** Who speaks in the other notation of conversations, `{"from": …, "value": …}`, by the names that templates know. */
const ROLES: ReadonlyMap<string, string> = new Map([
  ['human', 'user'],
  ['gpt', 'assistant'],
  ['chatgpt', 'assistant'],
  ['model', 'assistant'],
  ['bot', 'assistant'],
  ['function_response', 'tool'],
  ['observation', 'tool'],
]);

/**
 * The document that a row holds, or undefined where the chosen columns are null or empty lists.
 *
 * @param mixed true when rows may have columns of their own: then a row without the chosen ones is read by those it has
 * @throws StudioError corpus/bad-line naming the line or row
 */
export function documentOf(
  table: Pick<RowTable, 'name' | 'unit'>,
  row: Row,
  choice: ColumnChoice,
  mixed: boolean,
): CorpusDocument | undefined {
  const bad = (what: string) => badRow(table, row.number, what);
  let columns = choice;
  if (!choice.some((name) => row.values.has(name))) {
    const own = mixed ? detectColumns(kindsOfRows([row])).choice : undefined;
    if (own === undefined) throw bad(`has no ${choice.map((name) => `"${name}"`).join(', ')}`);
    columns = own;
  }
  const [first = '', ...more] = columns;
  if (more.length > 0) return exchange(columns, row, bad);
  const value = row.values.get(first) ?? null;
  if (value === null) return undefined;
  if (typeof value === 'string') return { kind: 'text', text: value };
  if (!Array.isArray(value)) throw bad(`has a "${first}" that is neither text nor a list of messages`);
  const messages = readMessages(value, bad);
  return messages.length === 0
    ? undefined
    : { kind: 'chat', messages, tools: readTools(row.values.get(TOOLS_COLUMN), bad) };
}

/** One question and its answer, in columns of their own. */
function exchange(columns: ColumnChoice, row: Row, bad: (what: string) => StudioError): CorpusDocument | undefined {
  const messages: ChatMessage[] = [];
  const texts: string[] = [];
  let asked: string[] = [];
  let isPlain = true;
  columns.forEach((name, index) => {
    const isAnswer = index === columns.length - 1;
    const value = row.values.get(name) ?? null;
    if (Array.isArray(value)) {
      isPlain = false;
      messages.push(...question(asked), ...readMessages(value, bad));
      asked = [];
    } else if (typeof value === 'string' && value !== '') {
      texts.push(value);
      if (index === 0 && columns.length > 2 && isSystemColumn(name)) messages.push({ role: 'system', content: value });
      else if (!isAnswer) asked.push(value);
      else messages.push(...question(asked), { role: 'assistant', content: value });
      if (isAnswer) asked = [];
    } else if (value !== null && value !== '') {
      throw bad(`has a "${name}" that is neither text nor a list of messages`);
    }
    if (isAnswer && asked.length > 0) messages.push(...question(asked));
  });
  if (messages.length === 0) return undefined;
  return { kind: 'chat', messages, ...(isPlain ? { plain: texts.join('\n\n') } : {}) };
}

function question(parts: readonly string[]): ChatMessage[] {
  return parts.length === 0 ? [] : [{ role: 'user', content: parts.join('\n\n') }];
}

function readMessages(values: readonly unknown[], bad: (what: string) => StudioError): ChatMessage[] {
  return values.map((value, index) => {
    const message = readMessage(value);
    if (message === undefined) throw bad(`has a message (number ${index + 1}) without "role" and "content"`);
    return message;
  });
}

/** Content is text, a list of parts, or null where a message only calls tools. */
function readMessage(value: unknown): ChatMessage | undefined {
  if (!isRecord(value)) return undefined;
  // A table has every key in every row: null stands for none.
  const own = new Map(Object.entries(value).filter(([, part]) => part !== null));
  const from = own.get('from');
  const content = own.get('content') ?? own.get('value') ?? null;
  const role = own.get('role') ?? (typeof from === 'string' ? (ROLES.get(from.toLowerCase()) ?? from) : undefined);
  if (typeof role !== 'string') return undefined;
  const says = typeof content === 'string' || Array.isArray(content) || Array.isArray(own.get('tool_calls'));
  if (!says) return undefined;
  if (own.has('role')) return { ...Object.fromEntries(own), role, content };
  return { role, content };
}

/** Lists as they are; some tables hold them as JSON text. */
function readTools(value: unknown, bad: (what: string) => StudioError): readonly unknown[] | undefined {
  let tools = value ?? undefined;
  if (typeof tools === 'string') {
    try {
      tools = tools.trim() === '' ? undefined : JSON.parse(tools);
    } catch {
      throw bad('has "tools" that are not valid JSON');
    }
  }
  if (tools === undefined || tools === null) return undefined;
  if (!Array.isArray(tools)) throw bad('has "tools" that are not a list');
  return tools;
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A line or row that is no document. */
export function badRow(
  { name, unit }: Pick<RowTable, 'name' | 'unit'>,
  number: number,
  what: string,
  cause?: unknown,
): StudioError {
  return new StudioError('corpus', 'bad-line', `${unit} ${number} of "${name}" ${what}.`, {
    nextStep:
      'Give text, a list of messages with "role" and "content", or columns of a question and its answer; in JSONL one object a line.',
    details: { file: name, line: number },
    cause,
  });
}
