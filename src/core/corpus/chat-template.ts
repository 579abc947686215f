import { Environment, parse, tokenize } from '@huggingface/jinja';
import { StudioError } from '../base/errors.ts';
import {
  MeteredInterpreter,
  TEMPLATE_LIMITS,
  TemplateLimitError,
  type TemplateLimits,
} from './template-interpreter.ts';
import { leavesLoopAfterWriting } from './template-loops.ts';

/** One turn of a conversation; further keys (tool_calls, name, …) reach the template as they are. */
export interface ChatMessage {
  readonly role: string;
  readonly content: unknown;
  readonly [key: string]: unknown;
}

export interface ChatConversation {
  readonly messages: readonly ChatMessage[];
  /** JSON schemas of the functions that the assistant may call, or undefined. */
  readonly tools?: readonly unknown[] | undefined;
}

export interface ChatTemplate {
  /**
   * The conversation as the text that the model was trained on. It already holds its special tokens: encode it without
   * adding any.
   *
   * @throws StudioError corpus/bad-chat-template with the template's own message
   */
  render(conversation: ChatConversation, options?: RenderOptions): string;
}

export interface RenderOptions {
  /** Ends with the opening of an assistant turn. Off for calibration, where the answers are in the text. */
  readonly addGenerationPrompt?: boolean;
}

export interface ChatTemplateOptions {
  /** bos_token, eos_token, …: TextTokenizer.specialTokens. */
  readonly specialTokens?: ReadonlyMap<string, string>;
  /** The time that strftime_now prints; now by default. */
  readonly now?: Date;
  readonly limits?: TemplateLimits;
}

const MAX_TEMPLATE_CHARACTERS = 2 ** 20;
/** White space in one piece: the engine's preparation tries every place of it against every other. */
const MAX_BLANK_CHARACTERS = 1000;
const MAX_RANGE = 100_000;

/**
 * Compiles the Jinja template of tokenizer_config.json or chat_template.jinja, with the whitespace rules and variables
 * of transformers' apply_chat_template.
 *
 * @throws StudioError corpus/bad-chat-template when it does not parse, or would not give Jinja's text
 */
export function compileChatTemplate(source: string, options: ChatTemplateOptions = {}): ChatTemplate {
  if (source.length > MAX_TEMPLATE_CHARACTERS) {
    throw badTemplate(
      `The chat template has ${source.length} characters; at most ${MAX_TEMPLATE_CHARACTERS} are read.`,
    );
  }
  for (const [blank] of source.matchAll(/\s+/g)) {
    if (blank.length > MAX_BLANK_CHARACTERS) {
      throw badTemplate(`The chat template has ${blank.length} blanks in one piece, which no template needs.`);
    }
  }
  const program = guard('cannot be read', () =>
    parse(tokenize(plainBlocks(source), { lstrip_blocks: true, trim_blocks: true })),
  );
  if (leavesLoopAfterWriting(program.body)) {
    throw badTemplate('The chat template leaves a loop by break or continue after writing, which is not supported.');
  }
  const { specialTokens = new Map<string, string>(), now, limits = TEMPLATE_LIMITS } = options;
  return {
    render({ messages, tools }, { addGenerationPrompt = false } = {}) {
      return guard('fails on this conversation', () => {
        const environment = globals(now ?? new Date());
        for (const [name, text] of specialTokens) environment.set(name, text);
        environment.set('messages', messages);
        environment.set('tools', tools ?? null);
        environment.set('documents', null);
        environment.set('add_generation_prompt', addGenerationPrompt);
        return String(new MeteredInterpreter(environment, limits).run(program).value);
      });
    },
  };
}

/** transformers marks an assistant's own words with generation blocks; for the text they are blocks like any other. */
function plainBlocks(source: string): string {
  return source
    .replace(/(\{%[-+]?\s*)generation(\s*[-+]?%\})/g, '$1if true$2')
    .replace(/(\{%[-+]?\s*)endgeneration(\s*[-+]?%\})/g, '$1endif$2');
}

/** The names that every chat template may use; the interpreter itself knows none. */
function globals(now: Date): Environment {
  const environment = new Environment();
  for (const [name, value] of [
    ['true', true],
    ['false', false],
    ['none', null],
  ] as const) {
    environment.set(name, value);
    environment.set(name.charAt(0).toUpperCase() + name.slice(1), value);
  }
  environment.set('raise_exception', (message: unknown) => {
    throw new Error(String(message));
  });
  environment.set('range', range);
  environment.set('strftime_now', (format: unknown) => formatTime(now, String(format)));
  return environment;
}

/** Python's range as a list, refused beyond MAX_RANGE items before a single one is made. */
function range(first: unknown, second?: unknown, third?: unknown): number[] {
  const [start, stop, step] = second === undefined ? [0, first, 1] : [first, second, third ?? 1];
  if (!isInteger(start) || !isInteger(stop) || !isInteger(step)) throw new Error('range() takes integers');
  if (step === 0) throw new Error('range() step must not be zero');
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length > MAX_RANGE) throw new TemplateLimitError(`asks for a range of ${length} items`);
  return Array.from({ length }, (_, index) => start + index * step);
}

function isInteger(value: unknown): value is number {
  return Number.isInteger(value);
}

const TIME_PARTS: ReadonlyMap<string, Intl.DateTimeFormatOptions> = new Map([
  ['a', { weekday: 'short' }],
  ['A', { weekday: 'long' }],
  ['b', { month: 'short' }],
  ['B', { month: 'long' }],
]);

function formatTime(now: Date, format: string): string {
  const digits = (value: number, width = 2) => String(value).padStart(width, '0');
  return format.replace(/%([a-zA-Z%])/g, (directive, letter: string) => {
    const part = TIME_PARTS.get(letter);
    if (part !== undefined) return new Intl.DateTimeFormat('en-US', part).format(now);
    switch (letter) {
      case 'Y':
        return digits(now.getFullYear(), 4);
      case 'y':
        return digits(now.getFullYear() % 100);
      case 'm':
        return digits(now.getMonth() + 1);
      case 'd':
        return digits(now.getDate());
      case 'H':
        return digits(now.getHours());
      case 'M':
        return digits(now.getMinutes());
      case 'S':
        return digits(now.getSeconds());
      case '%':
        return '%';
      default:
        throw new Error(`strftime_now() does not know ${directive}`);
    }
  });
}

function guard<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (cause instanceof TemplateLimitError) throw badTemplate(`The chat template ${reason}.`, cause);
    throw badTemplate(`The chat template ${what}: ${reason}`, cause);
  }
}

function badTemplate(message: string, cause?: unknown): StudioError {
  return new StudioError('corpus', 'bad-chat-template', message, {
    nextStep: 'Give the conversations as plain text, already in the form that the model expects.',
    cause,
  });
}
