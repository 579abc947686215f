import { type PatternNode, PatternSyntaxError } from './pattern-syntax.ts';

/** Instructions: three numbers each, the first one of these. Unused operands are 0. */
export const OP = {
  /** The text fits. */
  accept: 0,
  /** One character of set a, forwards or (b = 1) backwards. */
  character: 1,
  /** Goes on at a. */
  jump: 2,
  /** Tries a first, then b. */
  fork: 3,
  /** Notes the position in register a. */
  note: 4,
  /** Fails when the position is the one in register a: a turn that takes nothing ends a repetition. */
  progress: 5,
  /** Runs what follows by itself up to its accept; a: where to go on; b: 1 when it must not fit. */
  look: 6,
  start: 7,
  end: 8,
  /** Between a word and what is none (a = 0), or not there (a = 1). */
  wordEdge: 9,
} as const;

export const OP_WIDTH = 3;

/** Nodes compiled, those in copies that {n,m} makes among them, and different sets: real patterns have some hundred. */
const MAX_NODES = 20_000;
const MAX_SETS = 500;

export interface PatternProgram {
  readonly code: Int32Array;
  /** Sources of the character sets, by index. */
  readonly sets: readonly string[];
  readonly registers: number;
}

/** Least characters that a node takes; only whether it is 0 matters. */
function leastWidth(node: PatternNode): number {
  switch (node.kind) {
    case 'character':
      return 1;
    case 'sequence':
      return node.parts.reduce((sum, part) => sum + leastWidth(part), 0);
    case 'choice':
      return Math.min(...node.options.map(leastWidth));
    case 'repeat':
      return node.least * leastWidth(node.body);
    default:
      return 0;
  }
}

class Compiler {
  readonly code: number[] = [];
  readonly sets: string[] = [];
  registers = 0;
  readonly #known = new Map<string, number>();
  #nodes = 0;

  #emit(op: number, a = 0, b = 0): number {
    this.code.push(op, a, b);
    return this.code.length - OP_WIDTH;
  }

  #here(): number {
    return this.code.length;
  }

  #set(source: string): number {
    const index = this.#known.get(source) ?? this.sets.length;
    if (index >= MAX_SETS) throw new PatternSyntaxError(`tells more than ${MAX_SETS} sets of characters apart`);
    if (index === this.sets.length) this.sets.push(source);
    this.#known.set(source, index);
    return index;
  }

  /** Points a fork or jump at `at` to the next instruction, by operand `place`. */
  #land(at: number, place: 1 | 2): void {
    this.code[at + place] = this.#here();
  }

  /** A fork into what follows now and, by its other branch, to where `#land` says; lazy ones prefer that. */
  #forkAway(lazy: boolean): readonly [at: number, place: 1 | 2] {
    const at = this.#emit(OP.fork);
    this.code[at + (lazy ? 2 : 1)] = this.#here();
    return [at, lazy ? 1 : 2];
  }

  compile(node: PatternNode, behind: boolean): void {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES) throw new PatternSyntaxError('repeats too much');
    switch (node.kind) {
      case 'character':
        this.#emit(OP.character, this.#set(node.source), behind ? 1 : 0);
        return;
      case 'sequence':
        for (const part of behind ? node.parts.toReversed() : node.parts) this.compile(part, behind);
        return;
      case 'choice':
        this.#choice(node.options, behind);
        return;
      case 'repeat':
        this.#repeat(node, behind);
        return;
      case 'look': {
        const at = this.#emit(OP.look, 0, node.negative ? 1 : 0);
        this.compile(node.body, node.behind);
        this.#emit(OP.accept);
        this.#land(at, 1);
        return;
      }
      case 'edge':
        if (node.edge === 'start' || node.edge === 'end') this.#emit(OP[node.edge]);
        else this.#emit(OP.wordEdge, node.edge === 'word' ? 0 : 1);
    }
  }

  #choice(options: readonly PatternNode[], behind: boolean): void {
    const ends: number[] = [];
    for (const [index, option] of options.entries()) {
      const last = index === options.length - 1;
      const fork = last ? undefined : this.#forkAway(false);
      this.compile(option, behind);
      if (!last) ends.push(this.#emit(OP.jump));
      if (fork !== undefined) this.#land(...fork);
    }
    for (const end of ends) this.#land(end, 1);
  }

  #repeat({ body, least, most, lazy }: Extract<PatternNode, { kind: 'repeat' }>, behind: boolean): void {
    for (let copy = 0; copy < least; copy++) this.compile(body, behind);
    const canBeEmpty = leastWidth(body) === 0;
    const turn = (): void => {
      const register = canBeEmpty ? this.registers++ : -1;
      if (canBeEmpty) this.#emit(OP.note, register);
      this.compile(body, behind);
      if (canBeEmpty) this.#emit(OP.progress, register);
    };
    if (most === Number.POSITIVE_INFINITY) {
      const begin = this.#here();
      const fork = this.#forkAway(lazy);
      turn();
      this.#emit(OP.jump, begin);
      this.#land(...fork);
      return;
    }
    const forks: (readonly [number, 1 | 2])[] = [];
    for (let copy = least; copy < most; copy++) {
      forks.push(this.#forkAway(lazy));
      turn();
    }
    for (const fork of forks) this.#land(...fork);
  }
}

/** @throws PatternSyntaxError when its repetitions make a program that is too long, or it has too many sets. */
export function compilePattern(node: PatternNode): PatternProgram {
  const compiler = new Compiler();
  compiler.compile(node, false);
  const { code, sets, registers } = compiler;
  return { code: Int32Array.from([...code, OP.accept, 0, 0]), sets, registers };
}
