import { MAX_JSON_DEPTH, MAX_JSON_VALUES, MAX_KEYS } from './limits.ts';
import { quoted, type Refuse } from './refusals.ts';

/** JSON as the scanner gives it: objects are Maps, so that no name from a file can reach a prototype. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | ReadonlyMap<string, JsonValue>;

/** What stands next in the text. */
export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'literal';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERAL = /true|false|null/y;
const UNSIGNED = /^\d+$/;

/** The text of a JSON file. A byte order mark is kept, so that it is refused like any other character. @throws the refusal `invalid-utf8`. */
export function decodeUtf8(bytes: Uint8Array, refuse: Refuse): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refuse('invalid-utf8', 'does not hold valid UTF-8 text');
  }
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/**
 * Reads JSON from left to right, once, as its caller asks for it: the caller knows what may stand where and refuses the
 * rest by name. Unlike JSON.parse it refuses duplicate keys and lone surrogates, and shows integers that a double cannot
 * hold. Time and memory are linear in the text; only `value` recurses, to a limited depth.
 * @throws the refusals `not-json`, `duplicate-key` and `too-complex`, with the character's position in `details.position`.
 */
export class JsonScanner {
  readonly #text: string;
  readonly #refuse: Refuse;
  #position = 0;
  #valuesLeft = MAX_JSON_VALUES;

  constructor(text: string, refuse: Refuse) {
    this.#text = text;
    this.#refuse = refuse;
  }

  /** Index of the next character that has not been read. */
  get position(): number {
    return this.#position;
  }

  kind(): JsonKind {
    const code = this.#next();
    if (code === OPEN_BRACE) return 'object';
    if (code === OPEN_BRACKET) return 'array';
    if (code === QUOTE) return 'string';
    if (code === MINUS || isDigit(code)) return 'number';
    if (code === 0x74 || code === 0x66 || code === 0x6e) return 'literal';
    throw this.#syntax('a value was expected');
  }

  /** Reads an object; `onMember` is called with each key and must read its value. */
  object(onMember: (key: string) => void): void {
    this.#expect(OPEN_BRACE, 'an object was expected');
    if (this.#next() === CLOSE_BRACE) {
      this.#position += 1;
      return;
    }
    const keys = new Set<string>();
    for (;;) {
      if (this.#next() !== QUOTE) throw this.#syntax('a key in quotes was expected');
      const at = this.#position;
      const key = this.string();
      if (keys.has(key)) {
        throw this.#refuse('duplicate-key', `names ${quoted(key)} twice`, { key, position: at });
      }
      if (keys.size >= MAX_KEYS)
        throw this.#refuse('too-complex', `has an object of more than ${MAX_KEYS} names`, { position: at });
      keys.add(key);
      this.#expect(COLON, 'a colon was expected');
      onMember(key);
      const code = this.#next();
      this.#position += 1;
      if (code === CLOSE_BRACE) return;
      if (code !== COMMA) throw this.#syntax('a comma or the end of the object was expected', this.#position - 1);
    }
  }

  /** Reads an array; `onElement` is called before each element and must read it. */
  array(onElement: (index: number) => void): void {
    this.#expect(OPEN_BRACKET, 'an array was expected');
    if (this.#next() === CLOSE_BRACKET) {
      this.#position += 1;
      return;
    }
    for (let index = 0; ; index++) {
      onElement(index);
      const code = this.#next();
      this.#position += 1;
      if (code === CLOSE_BRACKET) return;
      if (code !== COMMA) throw this.#syntax('a comma or the end of the array was expected', this.#position - 1);
    }
  }

  string(): string {
    this.#expect(QUOTE, 'a string was expected');
    const text = this.#text;
    const start = this.#position;
    let escaped = false;
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.#position = at + 1;
        return escaped ? this.#unescape(start, at) : text.slice(start, at);
      }
      if (code < 0x20) throw this.#syntax('a control character stands in a string', at);
      if (code !== BACKSLASH) continue;
      escaped = true;
      at += 1;
    }
    throw this.#syntax('a string does not end', text.length);
  }

  /** Reads a number. `undefined` unless it is written as digits only and a double holds it exactly. */
  unsignedInteger(): number | undefined {
    const digits = this.#match(NUMBER, 'a number was expected');
    if (!UNSIGNED.test(digits)) return undefined;
    const value = Number(digits);
    return Number.isSafeInteger(value) ? value : undefined;
  }

  /** Reads any value, of limited depth and size. @throws the refusal `too-complex`. */
  value(depth = MAX_JSON_DEPTH): JsonValue {
    if (depth === 0 || this.#valuesLeft === 0) {
      throw this.#refuse('too-complex', 'holds more beside the weights than the studio reads', {
        position: this.#position,
      });
    }
    this.#valuesLeft -= 1;
    const kind = this.kind();
    if (kind === 'string') return this.string();
    if (kind === 'number') return Number(this.#match(NUMBER, 'a number was expected'));
    if (kind === 'literal') return this.#literal();
    if (kind === 'array') {
      const elements: JsonValue[] = [];
      this.array(() => elements.push(this.value(depth - 1)));
      return elements;
    }
    const members = new Map<string, JsonValue>();
    this.object((key) => members.set(key, this.value(depth - 1)));
    return members;
  }

  /** Checks that only white space follows. @throws the refusal `trailing-bytes`. */
  end(): void {
    if (Number.isNaN(this.#next())) return;
    throw this.#refuse('trailing-bytes', 'has something after the end of its JSON', { position: this.#position });
  }

  #literal(): boolean | null {
    const word = this.#match(LITERAL, 'a value was expected');
    return word === 'null' ? null : word === 'true';
  }

  #match(pattern: RegExp, expected: string): string {
    this.#next();
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) throw this.#syntax(expected);
    this.#position += found.length;
    return found;
  }

  /** The string between `start` and `end`, whose escapes the engine's own parser decodes. */
  #unescape(start: number, end: number): string {
    let decoded: unknown;
    try {
      decoded = JSON.parse(this.#text.slice(start - 1, end + 1));
    } catch {
      throw this.#syntax('an escape is not one of JSON', start);
    }
    // The text itself came out of a strict UTF-8 decoder: only escapes can make half a surrogate pair.
    if (typeof decoded === 'string' && decoded.isWellFormed()) return decoded;
    throw this.#syntax('an escape is half a surrogate pair', start);
  }

  /** The next character's code after white space, NaN at the end; it is not consumed. */
  #next(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#position);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      this.#position += 1;
    }
  }

  #expect(code: number, expected: string): void {
    if (this.#next() !== code) throw this.#syntax(expected);
    this.#position += 1;
  }

  #syntax(problem: string, at = this.#position): Error {
    return this.#refuse('not-json', `is not valid JSON: ${problem} at character ${at}`, { position: at });
  }
}
