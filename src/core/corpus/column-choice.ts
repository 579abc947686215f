import { StudioError } from '../base/errors.ts';
import type { ColumnKind, Row, RowTable } from './rows.ts';

/**
 * Columns that make a document, together: one of text or of conversations, or several of one exchange, the last of them
 * the assistant's answer.
 */
export type ColumnChoice = readonly string[];

/** Names in use for text and conversations, the most telling first. `?` marks a column that may be missing. */
const KNOWN: readonly ColumnChoice[] = [
  ['text'],
  ['messages'],
  ['conversations'],
  ['conversation'],
  ['instruction', 'input?', 'output'],
  ['instruction', 'input?', 'response'],
  ['prompt', 'completion'],
  ['prompt', 'response'],
  ['question', 'answer'],
  ['question', 'response'],
  ['query', 'response'],
  ['query', 'answer'],
  ['problem', 'solution'],
  ['content'],
  ['document'],
  ['article'],
  ['body'],
  ['code'],
];

const SYSTEM: readonly string[] = ['system', 'system_prompt'];
/** The functions that a conversation's assistant may call: taken along with the conversation. */
export const TOOLS_COLUMN = 'tools';

const JOIN = '+';
/** Rows that show what the columns of a file without a schema hold. */
export const SAMPLE_ROWS = 20;
const MOST_NAMED = 12;

/** True for a column that says how the assistant should answer, where it stands first in an exchange. */
export function isSystemColumn(name: string): boolean {
  return SYSTEM.includes(name.toLowerCase());
}

/** "instruction+output", as the command line and the page write a choice. */
export function formatChoice(choice: ColumnChoice): string {
  return choice.join(JOIN);
}

export interface Detection {
  /** What is taken unless the person says otherwise; undefined where the names do not tell. */
  readonly choice: ColumnChoice | undefined;
  /** Everything that could be taken, the likeliest first. */
  readonly choices: readonly ColumnChoice[];
  readonly kinds: ReadonlyMap<string, ColumnKind>;
}

/** Finds the columns that hold text, by what they are and by their names. */
export function detectColumns(kinds: ReadonlyMap<string, ColumnKind>): Detection {
  const byName = new Map([...kinds.keys()].reverse().map((name) => [name.toLowerCase(), name]));
  const holds = (name: string, ...wanted: readonly ColumnKind[]) => wanted.includes(kinds.get(name) ?? 'other');
  const system = SYSTEM.map((name) => byName.get(name)).find((name) => name !== undefined && holds(name, 'text'));
  const choices: ColumnChoice[] = [];
  for (const known of KNOWN) {
    const found: string[] = [];
    const isThere = known.every((pattern) => {
      const isOptional = pattern.endsWith('?');
      const name = byName.get(isOptional ? pattern.slice(0, -1) : pattern);
      const isUsable = name !== undefined && holds(name, 'text', 'messages');
      if (isUsable) found.push(name);
      return isUsable || isOptional;
    });
    if (!isThere) continue;
    choices.push(found.length > 1 && system !== undefined ? [system, ...found] : found);
  }
  const choice = choices[0];
  for (const kind of ['messages', 'text'] as const) {
    for (const name of kinds.keys()) {
      if (holds(name, kind) && !choices.some(([only, ...more]) => only === name && more.length === 0))
        choices.push([name]);
    }
  }
  return { choice: choice ?? (choices.length === 1 ? choices[0] : undefined), choices, kinds };
}

/** What the columns of a table hold: as its schema says, or as its first rows show. */
export async function columnKinds(table: RowTable): Promise<ReadonlyMap<string, ColumnKind>> {
  if (table.kinds !== null) return table.kinds;
  const rows: Row[] = [];
  for await (const row of table.rows([])) {
    rows.push(row);
    if (rows.length >= SAMPLE_ROWS) break;
  }
  return kindsOfRows(rows);
}

/** What the columns of some rows hold: the first that could be read, so that a row which cannot is found as such. */
export function kindsOfRows(rows: readonly Row[]): ReadonlyMap<string, ColumnKind> {
  const kinds = new Map<string, ColumnKind>();
  for (const { values } of rows) {
    for (const [name, value] of values) {
      const kind = kindOfValue(value);
      const known = kinds.get(name) ?? 'none';
      if (known === 'none' || (known === 'other' && kind !== 'none')) kinds.set(name, kind);
    }
  }
  return kinds;
}

function kindOfValue(value: unknown): ColumnKind {
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'string') return 'text';
  if (!Array.isArray(value)) return 'other';
  if (value.length === 0) return 'none';
  return value.some(looksLikeMessage) ? 'messages' : 'other';
}

function looksLikeMessage(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Object.hasOwn(value, 'role') || (Object.hasOwn(value, 'from') && Object.hasOwn(value, 'value')))
  );
}

/**
 * The columns that a person names, or those that were detected.
 *
 * @param wanted "text", or "instruction+output"; undefined for the detected ones
 * @throws StudioError corpus/unknown-column, corpus/no-text-column, corpus/ambiguous-columns, all naming the columns
 */
export function chooseColumns(
  file: string,
  { choice, choices, kinds }: Detection,
  wanted: string | undefined,
): ColumnChoice {
  const names = [...kinds.keys()];
  if (wanted !== undefined) {
    const asked = kinds.has(wanted) ? [wanted] : wanted.split(JOIN);
    const missing = asked.find((name) => !kinds.has(name));
    if (missing === undefined) return asked;
    throw new StudioError(
      'corpus',
      'unknown-column',
      `"${file}" has no column "${missing}": it has ${listed(names)}.`,
      {
        nextStep: 'Choose one of its columns, or several of one exchange joined by "+", such as instruction+output.',
        details: { file, column: missing },
      },
    );
  }
  if (choice !== undefined) return choice;
  if (choices.length === 0) {
    const found = names.length === 0 ? 'it has no columns' : `it has ${listed(names)}`;
    throw new StudioError('corpus', 'no-text-column', `"${file}" has no column of text or conversations: ${found}.`, {
      nextStep: 'Give a file with a column such as "text" or "messages".',
      details: { file },
    });
  }
  const several = listed(choices.map(formatChoice));
  throw new StudioError('corpus', 'ambiguous-columns', `"${file}" has several columns of text: ${several}.`, {
    nextStep: 'Choose the one to use: beside the text in the page, or with --corpus-column NAME=COLUMN.',
    details: { file },
  });
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMED).map((name) => `"${name}"`);
  const more = names.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
