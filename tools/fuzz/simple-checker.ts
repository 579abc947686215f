import { BITS_PER_ELEMENT } from '../../src/core/safetensors/dtype.ts';

/**
 * A second reading of the safetensors format, slow and plain, that shares no code with the studio's reader but the table
 * of dtypes: what the reader accepts and refuses is held against it.
 */
type Value = null | boolean | string | Digits | readonly Value[] | ReadonlyMap<string, Value>;

/** A number as it is spelt. */
class Digits {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const STRING = String.raw`"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"`;
const NUMBER = String.raw`-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?`;
const TOKEN = new RegExp(`[ \\t\\n\\r]*(?:([{}[\\],:])|(${STRING})|(${NUMBER})|(true|false|null))`, 'y');

class Invalid extends Error {}

function require(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new Invalid(problem);
}

class Parser {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  #token(): RegExpExecArray {
    TOKEN.lastIndex = this.at;
    const token = TOKEN.exec(this.#text);
    require(token !== null, `no JSON at ${this.at}`);
    this.at += token[0].length;
    return token;
  }

  value(token = this.#token()): Value {
    const [, sign, quoted, digits, word] = token;
    if (quoted !== undefined) {
      const text: unknown = JSON.parse(quoted);
      require(typeof text === 'string' && text.isWellFormed(), 'half a surrogate pair');
      return text;
    }
    if (digits !== undefined) return new Digits(digits);
    if (word !== undefined) return word === 'null' ? null : word === 'true';
    require(sign === '{' || sign === '[', `"${sign}" is no value`);
    return sign === '{' ? this.#object() : this.#list();
  }

  #list(): Value {
    const list: Value[] = [];
    let token = this.#token();
    if (token[1] === ']') return list;
    for (;;) {
      list.push(this.value(token));
      token = this.#token();
      if (token[1] === ']') return list;
      require(token[1] === ',', 'no comma');
      token = this.#token();
    }
  }

  #object(): Value {
    const members = new Map<string, Value>();
    let token = this.#token();
    if (token[1] === '}') return members;
    for (;;) {
      require(token[2] !== undefined, 'no key');
      const key = this.value(token);
      require(typeof key === 'string' && !members.has(key), 'a key twice');
      require(this.#token()[1] === ':', 'no colon');
      members.set(key, this.value());
      token = this.#token();
      if (token[1] === '}') return members;
      require(token[1] === ',', 'no comma');
      token = this.#token();
    }
  }
}

function wholeNumbers(value: Value | undefined): readonly bigint[] {
  require(Array.isArray(value), 'no list');
  return (value as readonly Value[]).map((entry) => {
    require(entry instanceof Digits && /^[0-9]+$/.test(entry.text), 'no whole number');
    const number = BigInt(entry.text);
    require(number < 2n ** 53n, 'a number beyond 2^53');
    return number;
  });
}

function check(bytes: Uint8Array): void {
  require(bytes.length >= 8, 'fewer than eight bytes');
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  require(length <= 100_000_000n && BigInt(bytes.length) >= 8n + length, 'a header beyond the file');
  const dataAt = 8 + Number(length);
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, dataAt));
  require(text.startsWith('{'), 'no brace first');
  const parser = new Parser(text);
  const header = parser.value();
  require(/^ *$/.test(text.slice(parser.at)), 'something after the header');
  require(header instanceof Map, 'no object');
  const ranges: (readonly [bigint, bigint])[] = [];
  for (const [name, entry] of header as ReadonlyMap<string, Value>) {
    require(entry instanceof Map, 'an entry that is no object');
    const fields = entry as ReadonlyMap<string, Value>;
    if (name === '__metadata__') {
      for (const value of fields.values()) require(typeof value === 'string', 'metadata that is no text');
      continue;
    }
    require([...fields.keys()].sort().join() === 'data_offsets,dtype,shape', 'other fields');
    const dtype = fields.get('dtype');
    require(typeof dtype === 'string' && Object.hasOwn(BITS_PER_ELEMENT, dtype), 'no dtype');
    const shape = wholeNumbers(fields.get('shape'));
    require(shape.length <= 64, 'too many dimensions');
    const [begin, end, more] = wholeNumbers(fields.get('data_offsets'));
    require(begin !== undefined && end !== undefined && more === undefined && begin <= end, 'no range');
    let bits = BigInt(BITS_PER_ELEMENT[dtype as keyof typeof BITS_PER_ELEMENT]);
    for (const size of shape) {
      bits *= size;
      require(bits < 2n ** 53n, 'an immense tensor');
    }
    require(bits % 8n === 0n && bits / 8n === end - begin, 'another size');
    ranges.push([begin, end]);
  }
  ranges.sort(([a, b], [c, d]) => Number(a - c) || Number(b - d));
  let position = 0n;
  for (const [begin, end] of ranges) {
    require(begin === position, 'a hole or an overlap');
    position = end;
  }
  require(position === BigInt(bytes.length - dataAt), 'too many bytes or too few');
}

/** Why `bytes` are no safetensors file, or undefined when they are one. */
export function problemOf(bytes: Uint8Array): string | undefined {
  try {
    check(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof Invalid || error instanceof TypeError) return error.message;
    throw error;
  }
}
