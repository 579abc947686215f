import { checkTokenizerLimits, partsOf } from './tokenizer-limits.ts';
import { badTokenizer, isObject, type JsonObject, unsupported } from './tokenizer-refusals.ts';

const MODEL_TYPES: readonly unknown[] = ['BPE', 'Unigram', 'WordPiece'];

/**
 * Reads tokenizer.json for the tokenizer library: checks that it is one, and refuses by name what the library would
 * compute otherwise than the Rust library does. Pre-tokenizers whose JavaScript version follows other character classes
 * are restated as regular expressions that both read alike.
 *
 * @throws StudioError corpus/bad-tokenizer, corpus/unsupported-tokenizer
 */
export function parseTokenizerJson(bytes: Uint8Array): JsonObject {
  const json = parseObject(bytes, 'tokenizer.json');
  const model = json.model;
  if (!isObject(model)) throw badTokenizer('tokenizer.json has no "model".');
  const type = model.type ?? (Array.isArray(model.merges) ? 'BPE' : undefined);
  if (!MODEL_TYPES.includes(type)) throw unsupported('model type', String(type));
  const entries = Array.isArray(model.vocab)
    ? model.vocab.length
    : isObject(model.vocab)
      ? Object.keys(model.vocab).length
      : 0;
  if (entries === 0) throw badTokenizer('The model of tokenizer.json has no vocabulary.');
  if (type === 'BPE' && !Array.isArray(model.merges))
    throw badTokenizer('The BPE model of tokenizer.json has no merges.');
  if (typeof model.dropout === 'number' && model.dropout > 0) throw unsupported('BPE option', 'dropout');
  checkTokenizerLimits(json, { ...model, type });
  for (const normalizer of partsOf(json.normalizer, 'normalizers')) {
    if (normalizer.type === 'Precompiled') throw unsupported('normalizer', 'Precompiled');
  }
  return {
    ...json,
    normalizer: json.normalizer ?? null,
    post_processor: json.post_processor ?? null,
    decoder: json.decoder ?? null,
    model: { ...model, type },
    added_tokens: addedTokens(json.added_tokens),
    pre_tokenizer: isObject(json.pre_tokenizer) ? restate(json.pre_tokenizer) : null,
  };
}

/** @throws StudioError corpus/bad-tokenizer when tokenizer_config.json is no JSON object */
export function parseTokenizerConfig(bytes: Uint8Array): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(parseObject(bytes, 'tokenizer_config.json')));
}

function addedTokens(tokens: unknown): readonly JsonObject[] {
  if (tokens === undefined || tokens === null) return [];
  if (!Array.isArray(tokens)) throw badTokenizer('"added_tokens" of tokenizer.json is not a list.');
  return tokens.map((token: unknown) => {
    if (!isObject(token) || typeof token.content !== 'string' || !Number.isInteger(token.id)) {
      throw badTokenizer('"added_tokens" of tokenizer.json has an entry without "id" and "content".');
    }
    if (token.single_word === true) throw unsupported('added token option', `single_word (of "${token.content}")`);
    return token;
  });
}

// Rust's \w and \s are Unicode classes and its digits are all of \p{N}; the library's own versions are ASCII, or count
// U+FEFF as a space and U+0085 as none.
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d';
const SPACE = '\\p{White_Space}';
const PUNCTUATION = '\\p{P}$+<=>^`|~';
const GPT2_PATTERN = `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+|${SPACE}+(?!\\P{White_Space})|${SPACE}+`;

function restate(preTokenizer: JsonObject): JsonObject {
  switch (preTokenizer.type) {
    case 'Sequence': {
      const parts = Array.isArray(preTokenizer.pretokenizers) ? preTokenizer.pretokenizers : [];
      return { ...preTokenizer, pretokenizers: parts.filter(isObject).map(restate) };
    }
    case 'Digits':
      return split(preTokenizer.individual_digits === true ? '\\p{N}' : '\\p{N}+', 'Isolated');
    case 'Whitespace':
      return { ...split(`[${WORD}]+|[^${WORD}${SPACE}]+`, 'Removed'), invert: true };
    case 'WhitespaceSplit':
      return split(`${SPACE}+`, 'Removed');
    case 'Punctuation':
      return restateSplit({ pattern: { Regex: `[${PUNCTUATION}]` }, behavior: preTokenizer.behavior ?? 'Isolated' });
    case 'Metaspace': {
      if (preTokenizer.split === false) return preTokenizer;
      const mark = typeof preTokenizer.replacement === 'string' ? preTokenizer.replacement : '\u2581';
      return {
        type: 'Sequence',
        pretokenizers: [preTokenizer, restateSplit({ pattern: { String: mark }, behavior: 'MergedWithNext' })],
      };
    }
    case 'ByteLevel': {
      // With a prefix space the library's own pattern stays: the space has to be put before the text is split.
      if (preTokenizer.use_regex === false || preTokenizer.add_prefix_space !== false) return preTokenizer;
      return {
        type: 'Sequence',
        pretokenizers: [split(GPT2_PATTERN, 'Isolated'), { ...preTokenizer, use_regex: false }],
      };
    }
    case 'Split':
      return restateSplit(preTokenizer);
    default:
      return preTokenizer;
  }
}

function restateSplit(preTokenizer: JsonObject): JsonObject {
  const { pattern, behavior, invert } = preTokenizer;
  const regex = isObject(pattern)
    ? typeof pattern.Regex === 'string'
      ? pattern.Regex
      : typeof pattern.String === 'string'
        ? pattern.String.replace(/[$()*+.?[\\\]^{|}/]/g, '\\$&')
        : undefined
    : undefined;
  if (regex === undefined) throw badTokenizer('A Split pre-tokenizer of tokenizer.json has no pattern.');
  if (regex.includes('(?>')) throw unsupported('regular expression feature', 'atomic group');
  if (/(?<!\\)(?:\\\\)*\\G/.test(regex)) throw unsupported('regular expression feature', '\\G');
  if (behavior === 'Removed') return { ...split(regex, 'Removed'), invert: invert === true };
  if (invert === true) throw unsupported('Split behaviour', `${String(behavior)}, inverted`);
  switch (behavior) {
    case 'Isolated':
      return split(regex, 'Isolated');
    case 'MergedWithPrevious':
      return split(`[\\s\\S]*?(?:${regex})`, 'Isolated');
    case 'MergedWithNext':
      return split(`(?:${regex})(?:(?!${regex})[\\s\\S])*`, 'Isolated');
    case 'Contiguous':
      return split(`(?:${regex})+`, 'Isolated');
    default:
      throw unsupported('Split behaviour', String(behavior));
  }
}

function split(regex: string, behavior: 'Isolated' | 'Removed'): JsonObject {
  return { type: 'Split', pattern: { Regex: regex }, behavior, invert: false };
}

function parseObject(bytes: Uint8Array, file: string): JsonObject {
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw badTokenizer(`${file} is not valid JSON.`, file, cause);
  }
  if (!isObject(content)) throw badTokenizer(`${file} is not a JSON object.`, file);
  return content;
}
