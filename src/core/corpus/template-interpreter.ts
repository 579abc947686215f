import { type Environment, Interpreter } from '@huggingface/jinja';

type Statement = Parameters<Interpreter['evaluate']>[0];
type RuntimeValue = ReturnType<Interpreter['evaluate']>;

/** What one rendering may use. A chat template is code from a stranger's repository, and rendering cannot be interrupted. */
export interface TemplateLimits {
  /**
   * Nodes evaluated, ten for each turn of a loop, one for each item and each 64 characters that a node makes, and one for
   * each 64 items or characters that it looks through.
   */
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
const ITEMS_LOOKED_AT_PER_STEP = 64;
const STEPS_PER_TURN = 10;
/** Nodes whose work grows with the values that they are given by name. */
const LOOKING = new Set([
  'BinaryExpression',
  'FilterExpression',
  'TestExpression',
  'SelectExpression',
  'MemberExpression',
]);

function lengthOf(content: unknown): number | undefined {
  return typeof content === 'string' ? content.length : undefined;
}

function sizeOf(content: unknown): number {
  return Array.isArray(content) ? content.length : content instanceof Map ? content.size : 0;
}

/** A call that may replace one text in another by a third, with the nodes that they come from. */
interface TextCall {
  readonly text: unknown;
  readonly old: unknown;
  readonly replacement: unknown;
  readonly lengths: (number | undefined)[];
}

function argumentNode(argument: unknown): unknown {
  const isKeyword = typeof argument === 'object' && argument !== null && 'key' in argument && 'value' in argument;
  return isKeyword ? argument.value : argument;
}

function textCall(text: unknown, args: unknown): TextCall | undefined {
  if (!Array.isArray(args) || args.length < 2) return undefined;
  const [old, replacement] = (args as readonly unknown[]).map(argumentNode);
  return { text, old, replacement, lengths: [] };
}

/** `text.method(a, b)` or `text | filter(a, b)`; which method it is may be known only when it is called. */
function textCallOf(statement: object): TextCall | undefined {
  if ('operand' in statement && 'filter' in statement) {
    const { operand, filter } = statement;
    if (typeof filter === 'object' && filter !== null && 'args' in filter) return textCall(operand, filter.args);
  }
  if (!('callee' in statement) || !('args' in statement)) return undefined;
  const { callee } = statement;
  if (typeof callee !== 'object' || callee === null || !('object' in callee)) return undefined;
  return textCall(callee.object, statement.args);
}

/**
 * The template interpreter with a meter on it: every node passes through evaluate, so loops, recursion and growing
 * strings all meet the limits, and the same template fails at the same place on every machine.
 */
export class MeteredInterpreter extends Interpreter {
  readonly #limits: TemplateLimits;
  /** What the loops met so far run over: those nodes' items are turns. */
  readonly #iterables = new Set<unknown>();
  /** Calls of methods and filters under way, innermost last. */
  readonly #calls: TextCall[] = [];
  /** What stands before the brackets of the calls met so far. */
  readonly #callees = new Set<unknown>();
  #inside = '';
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
    const { type } = statement;
    const outside = this.#inside;
    const call = textCallOf(statement);
    if (type === 'CallExpression' && 'callee' in statement) this.#callees.add(statement.callee);
    this.#depth += 1;
    this.#inside = type;
    if (call !== undefined) this.#calls.push(call);
    let value: RuntimeValue;
    try {
      if (type === 'FilterExpression' || type === 'FilterStatement') this.#checkIndent(statement, environment);
      value = super.evaluate(statement, environment);
    } finally {
      if (call !== undefined) this.#calls.pop();
      this.#inside = outside;
      this.#depth -= 1;
    }
    if (type === 'MemberExpression' && value.type === 'FunctionValue' && !this.#callees.has(statement)) {
      throw new TemplateLimitError('keeps a method without calling it');
    }
    this.#chargeFor(statement, value.value, outside);
    this.#checkGrowth(statement, value.value);
    return value;
  }

  #chargeFor(statement: object & { readonly type: string }, content: unknown, outside: string): void {
    const length = lengthOf(content);
    if (length !== undefined && length > this.#limits.maxCharacters) {
      throw new TemplateLimitError('makes a text that is too long');
    }
    const size = sizeOf(content);
    if (this.#iterables.has(statement)) this.#charge(size * STEPS_PER_TURN);
    if (statement.type === 'Identifier') {
      // A name makes nothing new: reading it is free however much it stands for, looking through it is not.
      if (!LOOKING.has(outside) || (length === undefined && outside === 'MemberExpression')) return;
      this.#charge(Math.floor((length ?? size) / ITEMS_LOOKED_AT_PER_STEP));
      return;
    }
    this.#charge(length === undefined ? size : Math.floor(length / CHARACTERS_PER_STEP));
  }

  /** A replacement is refused before it is made: its text could be the product of two others. */
  #checkGrowth(statement: unknown, content: unknown): void {
    const call = this.#calls.at(-1);
    if (call === undefined) return;
    const length = lengthOf(content);
    if (statement === call.text) call.lengths[0] = length;
    if (statement === call.old) call.lengths[1] = length;
    if (statement === call.replacement) call.lengths[2] = length;
    // A method's arguments are worked out before its text, a filter's after it.
    const [text, old, replacement] = call.lengths;
    if (text === undefined || old === undefined || replacement === undefined) return;
    if ((text / Math.max(1, old) + 1) * replacement > this.#limits.maxCharacters) {
      throw new TemplateLimitError('makes a text that is too long');
    }
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
