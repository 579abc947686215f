import { StudioError } from '../base/errors.ts';

/** A JSON object as parsed; keys come from a file, so read them with Object.hasOwn semantics only. */
export type JsonObject = { readonly [key: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function badTokenizer(message: string, file = 'tokenizer.json', cause?: unknown): StudioError {
  return new StudioError('corpus', 'bad-tokenizer', message, {
    nextStep: `Get ${file} again from the model it belongs to.`,
    details: { file },
    cause,
  });
}

export function unsupported(part: string, name: string, cause?: unknown): StudioError {
  return new StudioError(
    'corpus',
    'unsupported-tokenizer',
    `tokenizer.json uses the ${part} "${name}", which is not supported.`,
    {
      nextStep:
        'Make the token ids with the Python tokenizers library and give them as a token file (--tokens ids.json).',
      details: { file: 'tokenizer.json', part, name },
      cause,
    },
  );
}
