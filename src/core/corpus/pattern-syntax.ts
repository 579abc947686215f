/** A regular expression as the matcher runs it; groups remember nothing. */
export type PatternNode =
  /** One character that `source`, an expression of its own, matches. */
  | { readonly kind: 'character'; readonly source: string }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  | {
      readonly kind: 'repeat';
      readonly body: PatternNode;
      readonly least: number;
      /** Infinity without an upper bound. */
      readonly most: number;
      readonly lazy: boolean;
    }
  | { readonly kind: 'look'; readonly behind: boolean; readonly negative: boolean; readonly body: PatternNode }
  | { readonly kind: 'edge'; readonly edge: 'start' | 'end' | 'word' | 'inside-word' };

/** Thrown for a pattern that the matcher does not run; the message completes "the regular expression …". */
export class PatternSyntaxError extends Error {
  override readonly name = 'PatternSyntaxError';
}

/** Groups inside one another: real patterns have five. */
const MAX_DEPTH = 64;

const CLASS = /\[(?:[^\]\\]|\\.)*\]/suy;
const ESCAPE =
  /\\(?:[pP]\{[^}]*\}|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|u\{[0-9a-fA-F]+\}|x[0-9a-fA-F]{2}|c[a-zA-Z]|[^1-9k])/suy;
const QUANTIFIER = /(?:[*+?]|\{(\d+)(,(\d*))?\})(\??)/uy;
const GROUP = /\((?:\?(?:(:)|(<?)([=!])|<[^>=!]*>))?/uy;
const SYNTAX = new Set(['*', '+', '?', '{', '}', ']', ')', '|']);

class PatternParser {
  readonly #source: string;
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): PatternNode {
    const node = this.#choice();
    if (this.#at < this.#source.length) throw this.#unknown();
    return node;
  }

  #unknown(): PatternSyntaxError {
    return new PatternSyntaxError(`has something unknown at its character ${this.#at}`);
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#source);
    if (match !== null) this.#at += match[0].length;
    return match;
  }

  #choice(): PatternNode {
    const options = [this.#sequence()];
    while (this.#source[this.#at] === '|') {
      this.#at += 1;
      options.push(this.#sequence());
    }
    return options.length === 1 && options[0] !== undefined ? options[0] : { kind: 'choice', options };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#at < this.#source.length && this.#source[this.#at] !== '|' && this.#source[this.#at] !== ')') {
      parts.push(this.#quantified(this.#atom()));
    }
    return { kind: 'sequence', parts };
  }

  #quantified(body: PatternNode): PatternNode {
    const match = this.#take(QUANTIFIER);
    if (match === null) return body;
    const [text, least, comma, most, lazy] = match;
    const range = { '*': [0, Infinity], '+': [1, Infinity], '?': [0, 1] }[text.charAt(0)] ?? [
      Number(least),
      comma === undefined ? Number(least) : most === '' ? Infinity : Number(most),
    ];
    return { kind: 'repeat', body, least: range[0] ?? 0, most: range[1] ?? 0, lazy: lazy === '?' };
  }

  #atom(): PatternNode {
    switch (this.#source[this.#at]) {
      case '(':
        return this.#group();
      case '[':
        return this.#character(CLASS);
      case '\\':
        return this.#escape();
      case '^':
        this.#at += 1;
        return { kind: 'edge', edge: 'start' };
      case '$':
        this.#at += 1;
        return { kind: 'edge', edge: 'end' };
      default: {
        const source = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0);
        if (SYNTAX.has(source)) throw this.#unknown();
        this.#at += source.length;
        return { kind: 'character', source };
      }
    }
  }

  #character(pattern: RegExp): PatternNode {
    const match = this.#take(pattern);
    if (match === null) throw this.#unknown();
    return { kind: 'character', source: match[0] };
  }

  #escape(): PatternNode {
    const letter = this.#source[this.#at + 1] ?? '';
    if (letter === 'b' || letter === 'B') {
      this.#at += 2;
      return { kind: 'edge', edge: letter === 'b' ? 'word' : 'inside-word' };
    }
    if (/[1-9k]/.test(letter)) throw new PatternSyntaxError('refers back to one of its groups');
    return this.#character(ESCAPE);
  }

  #group(): PatternNode {
    const match = this.#take(GROUP);
    if (match === null || this.#source[this.#at] === '?') throw this.#unknown();
    if (this.#depth >= MAX_DEPTH) throw new PatternSyntaxError(`nests more than ${MAX_DEPTH} groups`);
    this.#depth += 1;
    const body = this.#choice();
    this.#depth -= 1;
    if (this.#source[this.#at] !== ')') throw this.#unknown();
    this.#at += 1;
    const sign = match[3];
    return sign === undefined ? body : { kind: 'look', behind: match[2] === '<', negative: sign === '!', body };
  }
}

/**
 * Parses the source of a RegExp with the flag u, which is valid as such.
 * @throws PatternSyntaxError for references back, modifiers and groups nested too deeply.
 */
export function parsePattern(source: string): PatternNode {
  return new PatternParser(source).parse();
}
