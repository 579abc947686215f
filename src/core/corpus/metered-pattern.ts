import { compilePattern, OP, OP_WIDTH, type PatternProgram } from './pattern-program.ts';
import { parsePattern } from './pattern-syntax.ts';

/** Thrown from inside a search that went over its limit; the message completes "the regular expression …". */
export class PatternLimitError extends Error {
  override readonly name = 'PatternLimitError';
}

/**
 * Steps that searches may take together: a fixed number, and more for each character that they are given. Patterns in use
 * take some 10 a character; one that backtracks without end takes any number.
 */
export class PatternMeter {
  static readonly STEPS = 2_000_000;
  static readonly STEPS_A_CHARACTER = 150;
  #left = PatternMeter.STEPS;

  /** Grants steps for `characters` of text. */
  grant(characters: number): void {
    this.#left += characters * PatternMeter.STEPS_A_CHARACTER;
  }

  get left(): number {
    return this.#left;
  }

  /** @throws PatternLimitError when `left` is below 0. */
  settle(left: number): void {
    this.#left = left;
    if (left < 0) throw new PatternLimitError('does not come to an end in reasonable time');
  }
}

function execArray(text: string, start: number, end: number): RegExpExecArray {
  return Object.assign<[string], Pick<RegExpExecArray, 'index' | 'input'>>([text.slice(start, end)], {
    index: start,
    input: text,
  });
}

/** Entries of a search's stack: 64 MB at most. */
const MAX_STACK = 2 ** 24;
const BMP = 0x10000;
/** Halves of a character above 2^16. */
const LEAD_FIRST = 0xd800;
const TRAIL_FIRST = 0xdc00;
const TRAIL_LAST = 0xdfff;

/** Whether characters belong to a set: the engine is asked once for each. */
class CharacterSet {
  readonly #expression: RegExp;
  /** By code point below 2^16: 0 unknown, 1 no, 2 yes. */
  readonly known = new Uint8Array(BMP);

  constructor(source: string) {
    this.#expression = new RegExp(`^(?:${source})$`, 'u');
  }

  has(codePoint: number): boolean {
    if (codePoint >= BMP) return this.#expression.test(String.fromCodePoint(codePoint));
    const known = this.known[codePoint];
    if (known !== 0) return known === 2;
    const member = this.#expression.test(String.fromCodePoint(codePoint));
    this.known[codePoint] = member ? 2 : 1;
    return member;
  }
}

function isWord(text: string, at: number): boolean {
  return /\w/.test(text.charAt(at));
}

function isTrail(code: number): boolean {
  return code >= TRAIL_FIRST && code <= TRAIL_LAST;
}

function isLead(code: number): boolean {
  return code >= LEAD_FIRST && code < TRAIL_FIRST;
}

/** A backtracking search with a meter, over a stack of its own: as the engine's, but one that ends. */
class PatternMachine {
  readonly #program: PatternProgram;
  readonly #sets: readonly CharacterSet[];
  readonly #registers: Int32Array;
  #stack = new Int32Array(1024);

  constructor(source: string) {
    this.#program = compilePattern(parsePattern(source));
    this.#sets = this.#program.sets.map((set) => new CharacterSet(set));
    this.#registers = new Int32Array(this.#program.registers);
  }

  /** Makes room for one more entry. */
  #grown(): Int32Array<ArrayBuffer> {
    if (this.#stack.length >= MAX_STACK) throw new PatternLimitError('remembers too much of the text');
    const larger = new Int32Array(this.#stack.length * 2);
    larger.set(this.#stack);
    this.#stack = larger;
    return larger;
  }

  /** The end of a match that begins at `position`, or −1. */
  match(text: string, position: number, meter: PatternMeter): number {
    return this.#run(text, 0, position, 0, meter);
  }

  #run(text: string, begin: number, position: number, base: number, meter: PatternMeter): number {
    const { code } = this.#program;
    const sets = this.#sets;
    const registers = this.#registers;
    let stack = this.#stack;
    let height = base;
    let left = meter.left;
    let pc = begin;
    let at = position;
    for (;;) {
      left -= 1;
      if (left < 0) meter.settle(left);
      const a = code[pc + 1] ?? 0;
      const b = code[pc + 2] ?? 0;
      let fits = true;
      switch (code[pc]) {
        case OP.accept:
          meter.settle(left);
          return at;
        case OP.character: {
          const set = sets[a];
          const unit = b === 0 && at < text.length ? text.charCodeAt(at) : LEAD_FIRST;
          if (set === undefined || (unit >= LEAD_FIRST && unit <= TRAIL_LAST)) {
            at = b === 0 ? this.#after(text, at, a) : this.#before(text, at, a);
            fits = at >= 0;
          } else {
            const known = set.known[unit] ?? 0;
            fits = known === 0 ? set.has(unit) : known === 2;
            at += 1;
          }
          pc += OP_WIDTH;
          break;
        }
        case OP.jump:
          pc = a;
          break;
        case OP.fork:
        case OP.note:
          if (height + 2 > stack.length) stack = this.#grown();
          if (code[pc] === OP.fork) {
            stack[height] = b;
            stack[height + 1] = at;
            pc = a;
          } else {
            stack[height] = -1 - a;
            stack[height + 1] = registers[a] ?? 0;
            registers[a] = at;
            pc += OP_WIDTH;
          }
          height += 2;
          break;
        case OP.progress:
          fits = registers[a] !== at;
          pc += OP_WIDTH;
          break;
        case OP.look:
          meter.settle(left);
          fits = this.#run(text, pc + OP_WIDTH, at, height, meter) >= 0 !== (b === 1);
          stack = this.#stack;
          left = meter.left;
          pc = a;
          break;
        case OP.start:
          fits = at === 0;
          pc += OP_WIDTH;
          break;
        case OP.end:
          fits = at === text.length;
          pc += OP_WIDTH;
          break;
        default:
          fits = (isWord(text, at - 1) !== isWord(text, at)) === (a === 0);
          pc += OP_WIDTH;
      }
      // Back to the last fork; registers that were noted since get their former values back.
      while (!fits) {
        if (height === base) {
          meter.settle(left);
          return -1;
        }
        height -= 2;
        const target = stack[height] ?? 0;
        const value = stack[height + 1] ?? 0;
        if (target < 0) {
          registers[-1 - target] = value;
          continue;
        }
        pc = target;
        at = value;
        fits = true;
      }
    }
  }

  /** The position behind the character at `at` when it is of the set, or −1. */
  #after(text: string, at: number, set: number): number {
    const codePoint = text.codePointAt(at);
    if (codePoint === undefined || this.#sets[set]?.has(codePoint) !== true) return -1;
    return at + (codePoint >= BMP ? 2 : 1);
  }

  #before(text: string, at: number, set: number): number {
    if (at === 0) return -1;
    const pair = at > 1 && isTrail(text.charCodeAt(at - 1)) && isLead(text.charCodeAt(at - 2));
    const start = at - (pair ? 2 : 1);
    return this.#sets[set]?.has(text.codePointAt(start) ?? 0) === true ? start : -1;
  }
}

/**
 * A global expression whose searches are metered. It finds what the engine's own finds, by the same rules (flag u), but a
 * pattern from a stranger's file cannot keep a worker busy for ever: no engine lets a search be interrupted. Groups
 * remember nothing.
 */
export class MeteredPattern extends RegExp {
  readonly #machine: PatternMachine;
  readonly #meter: PatternMeter;

  /** @throws PatternSyntaxError, PatternLimitError */
  constructor(pattern: RegExp | string, flags: string, meter?: PatternMeter) {
    super(pattern, flags);
    // The engine makes copies of its own for split and matchAll: they share the meter.
    const original = pattern instanceof MeteredPattern ? pattern : undefined;
    this.#meter = meter ?? (original === undefined ? new PatternMeter() : original.#meter);
    this.#machine = original === undefined ? new PatternMachine(this.source) : original.#machine;
  }

  override exec(text: string): RegExpExecArray | null {
    const counts = this.global || this.sticky;
    let start = counts ? this.lastIndex : 0;
    if (start > 0 && isTrail(text.charCodeAt(start)) && isLead(text.charCodeAt(start - 1))) start -= 1;
    while (start <= text.length) {
      const end = this.#machine.match(text, start, this.#meter);
      if (end >= 0) {
        if (counts) this.lastIndex = end;
        return execArray(text, start, end);
      }
      if (this.sticky) break;
      start += (text.codePointAt(start) ?? 0) >= BMP ? 2 : 1;
    }
    if (counts) this.lastIndex = 0;
    return null;
  }
}
