/** A logical line: what Python reads as one statement's line, brackets joined, comments and strings of documentation gone. */
export interface Statement {
  readonly line: number;
  readonly indent: number;
  readonly text: string;
}

/** A class with the statements of its body; the statements outside every class make one of the name ''. */
export interface PythonClass {
  readonly name: string;
  readonly line: number;
  readonly statements: readonly Statement[];
}

/** Far more than any modelling file has. */
const MOST_CHARACTERS = 4_000_000;

interface Cursor {
  at: number;
  line: number;
}

/** Moves past a string that starts at the cursor; gives its text, or '' for a triple-quoted one (documentation). */
function passString(text: string, cursor: Cursor): string {
  const quote = text[cursor.at] ?? '';
  const triple = text.startsWith(quote.repeat(3), cursor.at);
  const end = triple ? quote.repeat(3) : quote;
  const start = cursor.at;
  cursor.at += end.length;
  while (cursor.at < text.length && !text.startsWith(end, cursor.at)) {
    if (text[cursor.at] === '\n') {
      if (!triple) return text.slice(start, cursor.at);
      cursor.line += 1;
    }
    cursor.at += text[cursor.at] === '\\' ? 2 : 1;
  }
  cursor.at += end.length;
  return triple ? '' : text.slice(start, cursor.at);
}

/** Splits Python text into logical lines. Never throws: what it cannot make sense of comes out as it stands. */
export function logicalLines(source: string): Statement[] {
  const text = source.slice(0, MOST_CHARACTERS).replaceAll('\r\n', '\n');
  const statements: Statement[] = [];
  const cursor: Cursor = { at: 0, line: 1 };
  let depth = 0;
  let words: string[] = [];
  let startLine = 1;
  let indent = 0;
  let fresh = true;
  const finish = (): void => {
    const joined = words.join('').replaceAll(/\s+/g, ' ').trim();
    if (joined !== '') statements.push({ line: startLine, indent, text: joined });
    words = [];
    fresh = true;
  };
  while (cursor.at < text.length) {
    const character = text[cursor.at] ?? '';
    if (fresh && character !== '\n') {
      const spaces = /^[ \t]*/.exec(text.slice(cursor.at, cursor.at + 400))?.[0] ?? '';
      indent = spaces.replaceAll('\t', '        ').length;
      startLine = cursor.line;
      fresh = false;
      cursor.at += spaces.length;
      if (spaces.length > 0) continue;
    }
    if (character === '#') {
      const end = text.indexOf('\n', cursor.at);
      cursor.at = end < 0 ? text.length : end;
    } else if (character === '"' || character === "'") {
      words.push(passString(text, cursor));
    } else if (character === '\\' && text[cursor.at + 1] === '\n') {
      words.push(' ');
      cursor.at += 2;
      cursor.line += 1;
    } else if (character === '\n') {
      cursor.at += 1;
      cursor.line += 1;
      if (depth > 0) words.push(' ');
      else finish();
    } else {
      if ('([{'.includes(character)) depth += 1;
      if (')]}'.includes(character)) depth = Math.max(0, depth - 1);
      words.push(character);
      cursor.at += 1;
    }
  }
  finish();
  return statements;
}

/** The classes of a Python file, in order, and last what stands outside them. Text is read, nothing is run. */
export function readPython(source: string): PythonClass[] {
  const classes: { name: string; line: number; indent: number; statements: Statement[] }[] = [];
  const outside: Statement[] = [];
  let open: (typeof classes)[number] | undefined;
  for (const statement of logicalLines(source)) {
    if (open !== undefined && statement.indent <= open.indent) open = undefined;
    const name = /^class (\w+)/.exec(statement.text)?.[1];
    if (name !== undefined && open === undefined) {
      open = { name, line: statement.line, indent: statement.indent, statements: [] };
      classes.push(open);
    } else (open?.statements ?? outside).push(statement);
  }
  return [...classes, { name: '', line: 1, indent: 0, statements: outside }];
}
