import { badTokenizer, isObject, type JsonObject, unsupported } from './tokenizer-refusals.ts';

/**
 * Ceilings on what a tokenizer.json may make the studio do. It comes from a stranger's repository, and the library that
 * runs it takes every number at its word. Each is far above what tokenizers in use hold.
 */

/** Token ids: the largest vocabularies have 260 thousand; a list up to the highest id is made. */
const MAX_TOKEN_ID = 2 ** 22;
/** Characters of an entry of a Unigram vocabulary: each text position is tried against all that begin there. */
const MAX_UNIGRAM_CHARACTERS = 128;
/** Characters of a word that WordPiece takes apart, in time that grows with their square. */
const MAX_WORDPIECE_CHARACTERS = 1000;
/** Normalizers and pre-tokenizers in sequence, and sequences inside one another. */
const MAX_PARTS = 64;
const MAX_DEPTH = 16;
/** How many times longer all replacements together may make a text. */
const MAX_GROWTH = 64;
/** Characters of a regular expression: the longest in use have some 700. */
const MAX_PATTERN_CHARACTERS = 20_000;

function checkId(id: unknown, token: string): void {
  if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= MAX_TOKEN_ID) return;
  throw badTokenizer(
    `tokenizer.json gives the token "${token.slice(0, 40)}" an id that is no whole number up to ${MAX_TOKEN_ID}.`,
  );
}

function checkVocabulary({ vocab, type }: JsonObject): void {
  if (isObject(vocab)) {
    for (const token of Object.keys(vocab)) checkId(vocab[token], token);
    return;
  }
  if (!Array.isArray(vocab)) return;
  if (vocab.length > MAX_TOKEN_ID) throw badTokenizer(`tokenizer.json has more than ${MAX_TOKEN_ID} tokens.`);
  for (const entry of vocab as readonly unknown[]) {
    const [token, score] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
    if (typeof token !== 'string' || typeof score !== 'number') {
      throw badTokenizer('The vocabulary of tokenizer.json has an entry that is not a token with its score.');
    }
    if (type === 'Unigram' && token.length > MAX_UNIGRAM_CHARACTERS) {
      throw unsupported('Unigram token of more than 128 characters', token.slice(0, 40));
    }
  }
}

/** The part and, of a Sequence, all its parts. @throws StudioError when there are too many or they nest too deeply. */
export function partsOf(part: unknown, key: string, depth = 0): readonly JsonObject[] {
  if (!isObject(part)) return [];
  if (part.type !== 'Sequence') return [part];
  if (depth >= MAX_DEPTH) throw badTokenizer(`tokenizer.json nests more than ${MAX_DEPTH} sequences of "${key}".`);
  const inner = part[key];
  const parts: JsonObject[] = [];
  for (const one of Array.isArray(inner) ? (inner as readonly unknown[]) : []) {
    parts.push(...partsOf(one, key, depth + 1));
    if (parts.length > MAX_PARTS) throw badTokenizer(`tokenizer.json has more than ${MAX_PARTS} "${key}" in sequence.`);
  }
  return parts;
}

function contentOf({ content }: JsonObject): string {
  return typeof content === 'string' ? content : '';
}

/** What a replacement of at least one character may do to a text's length; one of nothing adds to every character. */
function growth(part: JsonObject): number {
  if (part.type !== 'Replace') return 1;
  const literal = isObject(part.pattern) && typeof part.pattern.String === 'string' && part.pattern.String !== '';
  return literal ? Math.max(1, contentOf(part).length) : contentOf(part).length + 1;
}

function checkPattern({ type, pattern }: JsonObject): void {
  if (type !== 'Replace' && type !== 'Split') return;
  const { Regex: expression, String: literal } = isObject(pattern) ? pattern : {};
  if (typeof expression !== 'string' && typeof literal !== 'string') {
    throw badTokenizer(`A part of tokenizer.json of the type ${type} has no pattern.`);
  }
  if (typeof expression === 'string' && expression.length > MAX_PATTERN_CHARACTERS) {
    throw unsupported('regular expression', `of ${expression.length} characters`);
  }
}

/**
 * Checks the ceilings.
 * @param json tokenizer.json as parsed, with the model's type filled in.
 * @throws StudioError corpus/bad-tokenizer, corpus/unsupported-tokenizer
 */
export function checkTokenizerLimits(json: JsonObject, model: JsonObject): void {
  checkVocabulary(model);
  const longest = model.max_input_chars_per_word;
  if (typeof longest === 'number' && longest > MAX_WORDPIECE_CHARACTERS) {
    throw unsupported('WordPiece limit max_input_chars_per_word', String(longest));
  }
  for (const token of Array.isArray(json.added_tokens) ? (json.added_tokens as readonly unknown[]) : []) {
    if (isObject(token) && Number.isInteger(token.id)) checkId(token.id, String(token.content));
  }
  const parts = [...partsOf(json.normalizer, 'normalizers'), ...partsOf(json.pre_tokenizer, 'pretokenizers')];
  const decoders = partsOf(json.decoder, 'decoders');
  for (const part of [...parts, ...decoders]) checkPattern(part);
  const total = parts.reduce((product, part) => product * growth(part), 1);
  if (total > MAX_GROWTH) {
    throw unsupported('chain of replacements', `which makes texts up to ${total} times as long`);
  }
  partsOf(json.post_processor, 'processors');
}
