/** Parsed JSON that nobody writes to. */
export type Json = null | boolean | number | string | readonly Json[] | ReadonlyJsonObject;
export interface ReadonlyJsonObject {
  readonly [key: string]: Json;
}

export function isJsonObject(value: unknown): value is ReadonlyJsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Strings, and the three words that Python's json writes for numbers which JSON lacks. */
const BARE_NUMBER = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g;

/**
 * Parses a config.json, in which Python may have left `NaN`, `Infinity` and `-Infinity`: they are read as null, so that
 * nobody computes with them.
 * @throws SyntaxError as JSON.parse.
 */
export function parseConfigText(text: string): unknown {
  return JSON.parse(text.replace(BARE_NUMBER, (match) => (match.startsWith('"') ? match : 'null')));
}
