import { type Environment, Interpreter } from '@huggingface/jinja';

type Statement = Parameters<Interpreter['evaluate']>[0];
type RuntimeValue = ReturnType<Interpreter['evaluate']>;

/** What one rendering may use. A chat template is code from a stranger's repository, and rendering cannot be interrupted. */
export interface TemplateLimits {
  /** Nodes evaluated, ten for each turn of a loop, one for each item and each 64 characters that a node makes. */
  readonly maxSteps: number;
  /** Nodes inside one another, macro calls included. */
  readonly maxDepth: number;
  /** Characters of any one string, the rendered text included. */
  readonly maxCharacters: number;
  /** Spaces that an indent may ask for. */
  readonly maxIndent: number;
}

export const TEMPLATE_LIMITS: TemplateLimits = {
  maxSteps: 2_000_000,
  maxDepth: 500,
  maxCharacters: 2 ** 24,
  maxIndent: 256,
};

/** Thrown from inside a rendering that went over a limit; the message completes "the chat template …". */
export class TemplateLimitError extends Error {
  override readonly name = 'TemplateLimitError';
}

const CHARACTERS_PER_STEP = 64;
const STEPS_PER_TURN = 10;

/**
 * The template interpreter with a meter on it: every node passes through evaluate, so loops, recursion and growing
 * strings all meet the limits, and the same template fails at the same place on every machine.
 */
export class MeteredInterpreter extends Interpreter {
  readonly #limits: TemplateLimits;
  /** What the loops met so far run over: those nodes' items are turns. */
  readonly #iterables = new Set<unknown>();
  #steps = 0;
  #depth = 0;

  constructor(environment: Environment, limits: TemplateLimits) {
    super(environment);
    this.#limits = limits;
  }

  /** @throws TemplateLimitError */
  override evaluate(statement: Statement, environment: Environment): RuntimeValue {
    this.#charge(1);
    if (statement === undefined) return super.evaluate(statement, environment);
    if (this.#depth >= this.#limits.maxDepth) throw new TemplateLimitError('calls itself without end');
    if (statement.type === 'For' && 'iterable' in statement) this.#iterables.add(statement.iterable);
    this.#depth += 1;
    try {
      if (statement.type === 'FilterExpression' || statement.type === 'FilterStatement') {
        this.#checkIndent(statement, environment);
      }
      const value = super.evaluate(statement, environment);
      this.#chargeFor(statement, value.value);
      return value;
    } finally {
      this.#depth -= 1;
    }
  }

  #chargeFor(statement: object & { readonly type: string }, content: unknown): void {
    if (typeof content === 'string' && content.length > this.#limits.maxCharacters) {
      throw new TemplateLimitError('makes a text that is too long');
    }
    const size = Array.isArray(content) ? content.length : content instanceof Map ? content.size : 0;
    if (this.#iterables.has(statement)) this.#charge(size * STEPS_PER_TURN);
    // A name makes nothing new: reading it is free however much it stands for.
    if (statement.type === 'Identifier') return;
    this.#charge(typeof content === 'string' ? Math.floor(content.length / CHARACTERS_PER_STEP) : size);
  }

  #charge(steps: number): void {
    this.#steps += steps;
    if (this.#steps > this.#limits.maxSteps) throw new TemplateLimitError('does not come to an end in reasonable time');
  }

  /** `indent` and `tojson(indent=…)` build their spaces before any result could be measured. */
  #checkIndent(statement: object, environment: Environment): void {
    if (!('filter' in statement)) return;
    const { filter } = statement;
    if (typeof filter !== 'object' || filter === null || !('args' in filter) || !Array.isArray(filter.args)) return;
    for (const argument of filter.args as readonly (Statement & { readonly value?: unknown })[]) {
      const given = argument?.type === 'KeywordArgumentExpression' ? (argument.value as Statement) : argument;
      if (given?.type === 'SpreadExpression' || given?.type === 'KeywordSpreadExpression') continue;
      const { value } = this.evaluate(given, environment);
      if (typeof value === 'number' && value > this.#limits.maxIndent) {
        throw new TemplateLimitError(`passes ${value} to a filter, which is too much`);
      }
    }
  }
}
