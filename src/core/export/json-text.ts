import { StudioError } from '../base/errors.ts';

/** A value in JSON text with its place: [start, end). */
export type JsonNode =
  | { readonly kind: 'object'; readonly start: number; readonly end: number; readonly members: readonly JsonMember[] }
  | { readonly kind: 'array'; readonly start: number; readonly end: number; readonly items: readonly JsonNode[] }
  | {
      readonly kind: 'value';
      readonly start: number;
      readonly end: number;
      readonly value: null | boolean | number | string;
    };

export interface JsonMember {
  readonly key: string;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly value: JsonNode;
}

/** Replaces text[start, end). */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Deepest nesting that is read: a config is four levels deep. */
const MAX_DEPTH = 64;

function tooDeep(): StudioError {
  return new StudioError('export', 'config-too-deep', `config.json nests more than ${MAX_DEPTH} levels deep.`, {
    nextStep: 'Compare config.json with the original repository.',
    details: { file: 'config.json' },
  });
}

/** Reads the places of text that parseConfigText has accepted. @throws StudioError `config-too-deep`. */
export function parseJsonText(text: string): JsonNode {
  let at = 0;
  const skip = (): void => {
    while (/\s/.test(text.charAt(at))) at += 1;
  };
  const string = (): { start: number; end: number; value: string } => {
    const start = at;
    at += 1;
    while (at < text.length && text.charAt(at) !== '"') at += text.charAt(at) === '\\' ? 2 : 1;
    at += 1;
    return { start, end: at, value: String(JSON.parse(text.slice(start, at))) };
  };
  const value = (depth: number): JsonNode => {
    if (depth > MAX_DEPTH) throw tooDeep();
    skip();
    const start = at;
    const first = text.charAt(at);
    if (first === '{') {
      at += 1;
      const members: JsonMember[] = [];
      for (skip(); text.charAt(at) !== '}'; skip()) {
        if (text.charAt(at) === ',') at += 1;
        skip();
        const key = string();
        skip();
        at += 1;
        members.push({ key: key.value, keyStart: key.start, keyEnd: key.end, value: value(depth + 1) });
      }
      at += 1;
      return { kind: 'object', start, end: at, members };
    }
    if (first === '[') {
      at += 1;
      const items: JsonNode[] = [];
      for (skip(); text.charAt(at) !== ']'; skip()) {
        if (text.charAt(at) === ',') at += 1;
        items.push(value(depth + 1));
      }
      at += 1;
      return { kind: 'array', start, end: at, items };
    }
    if (first === '"') return { kind: 'value', ...string() };
    while (at < text.length && !/[\s,\]}]/.test(text.charAt(at))) at += 1;
    const word = text.slice(start, at);
    return { kind: 'value', start, end: at, value: /^(?:NaN|-?Infinity)$/.test(word) ? null : JSON.parse(word) };
  };
  return value(0);
}

/** The member of an object under a key; the last where it is repeated, as JSON.parse reads it. */
export function memberOf(node: JsonNode | undefined, key: string): JsonNode | undefined {
  return node?.kind === 'object' ? node.members.findLast((member) => member.key === key)?.value : undefined;
}

/** Applies edits that do not overlap; everything between them stays as it was, character by character. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let result = '';
  let position = 0;
  for (const { start, end, text: replacement } of [...edits].sort((a, b) => a.start - b.start)) {
    if (start < position) throw new RangeError('edits overlap');
    result += text.slice(position, start) + replacement;
    position = end;
  }
  return result + text.slice(position);
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Edits that take entries out of an array or object, with the commas beside them. `entries` are all of it, in order. */
export function removeEntries(container: Span, entries: readonly Span[], gone: readonly boolean[]): TextEdit[] {
  if (!gone.includes(true)) return [];
  if (!gone.includes(false)) return [{ start: container.start + 1, end: container.end - 1, text: '' }];
  const edits: TextEdit[] = [];
  let keptBefore = false;
  for (const [index, entry] of entries.entries()) {
    if (gone[index] !== true) {
      keptBefore = true;
      continue;
    }
    // Before the first kept entry up to the next one, after it from the one before: the layout of the others stays.
    const start = keptBefore ? (entries[index - 1]?.end ?? entry.start) : entry.start;
    const end = keptBefore ? entry.end : (entries[index + 1]?.start ?? entry.end);
    edits.push({ start, end, text: '' });
  }
  return edits;
}
