import { Tokenizer } from '@huggingface/tokenizers';
import { StudioError } from '../base/errors.ts';
import { meterPatterns } from './meter-tokenizer.ts';
import { parseTokenizerConfig, parseTokenizerJson } from './tokenizer-json.ts';
import { badTokenizer, type JsonObject, unsupported } from './tokenizer-refusals.ts';

export interface EncodeOptions {
  /** True for bare text, as the model's own post-processor says; false for text that a chat template made. */
  readonly addSpecialTokens: boolean;
}

/** Text ↔ token ids, as the model's tokenizer.json defines it. */
export interface TextTokenizer {
  /** Ids [n] of the text; special tokens written in the text become their own ids. */
  encode(text: string, options: EncodeOptions): Int32Array;
  /** Text of the ids, special tokens included. */
  decode(ids: Iterable<number>): string;
  /** The id of a token that tokenizer.json lists as special or added, by its text, e.g. "<|im_end|>". */
  specialTokenId(name: string): number | undefined;
  /** The end-of-text token that tokenizer_config.json names, or undefined where it names none. */
  readonly eosTokenId: number | undefined;
  /** One more than the highest id that encode can give. */
  readonly vocabularySize: number;
  /** The chat template of tokenizer_config.json (the one named "default" where there are several), or undefined. */
  readonly chatTemplate: string | undefined;
  /** bos_token, eos_token, pad_token, unk_token as tokenizer_config.json writes them: what chat templates may print. */
  readonly specialTokens: ReadonlyMap<string, string>;
}

/**
 * Builds a tokenizer from the bytes of tokenizer.json and, where there is one, tokenizer_config.json.
 *
 * @throws StudioError corpus/bad-tokenizer when a file is broken or is no tokenizer; corpus/unsupported-tokenizer when
 *   it uses a feature whose ids would differ from the Rust library's, naming the feature
 */
export function loadTokenizer(tokenizerJson: Uint8Array, tokenizerConfig: Uint8Array | undefined): TextTokenizer {
  const json = parseTokenizerJson(tokenizerJson);
  const { specialTokens, chatTemplate } = readTokenizerConfig(tokenizerConfig);
  const library = buildLibraryTokenizer(json);
  const metered = meterPatterns(library);

  const added = new Map([...library.get_added_tokens_decoder()].map(([id, token]) => [token.content, id]));
  let highest = -1;
  for (const id of library.get_vocab().values()) highest = Math.max(highest, id);
  const eos = specialTokens.get('eos_token');

  return {
    encode: (text, { addSpecialTokens }) => metered(text.length, () => encode(library, text, addSpecialTokens)),
    decode(ids) {
      const list = [...ids];
      if (list.length === 0) return '';
      return metered(list.length, () =>
        library.decode(list, { skip_special_tokens: false, clean_up_tokenization_spaces: false }),
      );
    },
    specialTokenId: (name) => added.get(name),
    eosTokenId: eos === undefined ? undefined : library.token_to_id(eos),
    vocabularySize: highest + 1,
    chatTemplate,
    specialTokens,
  };
}

/**
 * What chat templates need of tokenizer_config.json; nothing where there is no such file.
 * @throws StudioError corpus/bad-tokenizer when it is no JSON object
 */
export function readTokenizerConfig(
  bytes: Uint8Array | undefined,
): Pick<TextTokenizer, 'specialTokens' | 'chatTemplate'> {
  const config = bytes === undefined ? new Map<string, unknown>() : parseTokenizerConfig(bytes);
  const specialTokens = new Map<string, string>();
  for (const name of ['bos_token', 'eos_token', 'pad_token', 'unk_token']) {
    const text = tokenText(config.get(name));
    if (text !== undefined) specialTokens.set(name, text);
  }
  return { specialTokens, chatTemplate: defaultChatTemplate(config.get('chat_template')) };
}

function buildLibraryTokenizer(json: JsonObject): Tokenizer {
  try {
    return new Tokenizer(json, {});
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (cause instanceof SyntaxError) throw unsupported('regular expression', reason, cause);
    const unknown = /^Unknown (\w+) type: (.*)$/s.exec(reason);
    if (unknown !== null) throw unsupported((unknown[1] ?? '').toLowerCase(), unknown[2] ?? '', cause);
    throw badTokenizer(`tokenizer.json cannot be read as a tokenizer: ${reason}`, 'tokenizer.json', cause);
  }
}

function encode(library: Tokenizer, text: string, addSpecialTokens: boolean): Int32Array {
  if (text === '' && !addSpecialTokens) return new Int32Array(0);
  const { ids, tokens } = library.encode(text, { add_special_tokens: addSpecialTokens });
  return Int32Array.from(ids, (id: number | undefined, position) => {
    if (id !== undefined) return id;
    throw badTokenizer(`The tokenizer has no id for "${tokens[position]}" and no unknown token.`);
  });
}

/** tokenizer_config.json writes a special token as its text or as an object with the text under `content`. */
function tokenText(token: unknown): string | undefined {
  if (typeof token === 'string') return token;
  if (typeof token !== 'object' || token === null || !('content' in token)) return undefined;
  return typeof token.content === 'string' ? token.content : undefined;
}

function defaultChatTemplate(template: unknown): string | undefined {
  if (typeof template === 'string') return template;
  if (!Array.isArray(template)) return undefined;
  for (const entry of template as readonly unknown[]) {
    if (typeof entry !== 'object' || entry === null || !('name' in entry) || !('template' in entry)) continue;
    if (entry.name === 'default' && typeof entry.template === 'string') return entry.template;
  }
  return undefined;
}

/**
 * Refuses ids that the model's embedding has no row for.
 *
 * @param vocabularySize rows of the embedding: `vocab_size` of config.json
 * @throws StudioError corpus/wrong-tokenizer naming the first such id
 */
export function checkVocabulary(ids: Iterable<number>, vocabularySize: number): void {
  for (const id of ids) {
    if (id >= 0 && id < vocabularySize) continue;
    throw new StudioError(
      'corpus',
      'wrong-tokenizer',
      `Token id ${id} is outside the model's vocabulary of ${vocabularySize}: the text was tokenised for another model.`,
      { nextStep: 'Use the tokenizer that belongs to this model.', details: { id, vocabularySize } },
    );
  }
}
