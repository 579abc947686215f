/** Parsed JSON that nobody writes to. */
export type Json = null | boolean | number | string | readonly Json[] | ReadonlyJsonObject;
export interface ReadonlyJsonObject {
  readonly [key: string]: Json;
}

export function isJsonObject(value: unknown): value is ReadonlyJsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Objects and lists inside one another: config.json of the largest models has eight. Everything that walks one recurses. */
const MAX_DEPTH = 128;

/** The words that Python's json writes for numbers which JSON lacks, where no longer word stands. */
const BARE_NUMBER = /-?\b(?:Infinity|NaN)\b/y;

/** The index behind the string that begins at `start`, or the text's end. */
function behindString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

/**
 * Parses a config.json, in which Python may have left `NaN`, `Infinity` and `-Infinity`: they are read as null, so that
 * nobody computes with them. Takes time in proportion to the text, whatever it holds.
 * @throws SyntaxError as JSON.parse, and when more than 128 objects and lists lie inside one another.
 */
export function parseConfigText(text: string): unknown {
  const pieces: string[] = [];
  let kept = 0;
  let depth = 0;
  for (let at = 0; at < text.length; ) {
    const character = text[at];
    if (character === '"') {
      at = behindString(text, at);
      continue;
    }
    if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (depth > MAX_DEPTH) throw new SyntaxError(`more than ${MAX_DEPTH} objects and lists lie inside one another`);
    BARE_NUMBER.lastIndex = at;
    const word = character === 'N' || character === 'I' || character === '-' ? BARE_NUMBER.exec(text)?.[0] : undefined;
    if (word !== undefined) {
      pieces.push(text.slice(kept, at), 'null');
      kept = at + word.length;
    }
    at += word?.length ?? 1;
  }
  return JSON.parse(pieces.join('') + text.slice(kept));
}
