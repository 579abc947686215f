import type { Tokenizer } from '@huggingface/tokenizers';
import { MeteredPattern, PatternLimitError, PatternMeter } from './metered-pattern.ts';
import { PatternSyntaxError } from './pattern-syntax.ts';
import { badTokenizer, unsupported } from './tokenizer-refusals.ts';

function isContainer(value: unknown): value is object {
  return (typeof value === 'object' || typeof value === 'function') && value !== null;
}

/** True where `pattern` came out of the file: the library's own patterns are known to end. */
function isFromFile(part: object): boolean {
  const config: unknown = Reflect.get(part, 'config');
  const pattern: unknown = isContainer(config) ? Reflect.get(config, 'pattern') : undefined;
  return isContainer(pattern) && typeof Reflect.get(pattern, 'Regex') === 'string';
}

/** Puts metered patterns in the place of the engine's, in a part of the library's tokenizer and all parts inside it. */
function replacePatterns(part: unknown, meter: PatternMeter, seen: Set<object>): void {
  if (!isContainer(part) || seen.has(part)) return;
  seen.add(part);
  const pattern: unknown = Reflect.get(part, 'pattern');
  if (pattern instanceof RegExp && isFromFile(part)) {
    Reflect.set(part, 'pattern', new MeteredPattern(pattern, pattern.flags, meter));
  }
  for (const key of ['normalizers', 'tokenizers', 'decoders']) {
    const inner: unknown = Reflect.get(part, key);
    if (Array.isArray(inner)) for (const one of inner as readonly unknown[]) replacePatterns(one, meter, seen);
  }
}

/**
 * Bounds what the regular expressions of a tokenizer.json can cost.
 * @returns Runs a piece of work on `characters` of text under the meter.
 * @throws StudioError corpus/unsupported-tokenizer naming what an expression has that the matcher does not know.
 */
export function meterPatterns(library: Tokenizer): <Value>(characters: number, work: () => Value) => Value {
  const meter = new PatternMeter();
  try {
    for (const key of ['normalizer', 'pre_tokenizer', 'decoder']) {
      replacePatterns(Reflect.get(library, key), meter, new Set());
    }
  } catch (cause) {
    if (!(cause instanceof PatternSyntaxError)) throw cause;
    throw unsupported('regular expression', `that ${cause.message}`, cause);
  }
  return (characters, work) => {
    meter.grant(characters);
    try {
      return work();
    } catch (cause) {
      if (cause instanceof PatternLimitError) {
        throw unsupported('regular expression', `that ${cause.message}`, cause);
      }
      if (cause instanceof RangeError) throw badTokenizer(`The tokenizer fails on this text: ${cause.message}.`);
      throw cause;
    }
  };
}
