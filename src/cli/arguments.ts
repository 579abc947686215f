import { type ParseArgsConfig, parseArgs } from 'node:util';
import { StudioError } from '../core/base/errors.ts';

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<T extends Options> = ReturnType<typeof parseArgs<{ options: T; allowPositionals: true; strict: true }>>;

export function usageError(code: string, message: string): StudioError {
  return new StudioError('usage', code, message, { nextStep: 'See the usage above.' });
}

/**
 * The options of a command, strictly: an unknown one is refused.
 * @throws StudioError family `usage` code `bad-arguments`.
 */
export function parseCommandLine<T extends Options>(argv: readonly string[], options: T): Parsed<T> {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw usageError('bad-arguments', error instanceof Error ? error.message : String(error));
  }
}

/** The one positional argument. @throws StudioError family `usage`: `missing-argument`, `too-many-arguments`. */
export function onePositional(positionals: readonly string[], name: string): string {
  const [first, second] = positionals;
  if (first === undefined) throw usageError('missing-argument', `${name} is missing.`);
  if (second !== undefined) throw usageError('too-many-arguments', `"${second}" is one argument too many.`);
  return first;
}

/** The value of an option that must be given. @throws StudioError family `usage` code `missing-option`. */
export function required(value: string | undefined, option: string): string {
  if (value === undefined) throw usageError('missing-option', `${option} is missing.`);
  return value;
}

/** A finite number of an option. @throws StudioError family `usage` code `not-a-number`. */
export function numberOption(value: string, option: string): number {
  const number = value.trim() === '' ? Number.NaN : Number(value);
  if (!Number.isFinite(number)) throw usageError('not-a-number', `${option} takes a number, not "${value}".`);
  return number;
}

/** A whole number above 0 of an option, or undefined without it. @throws StudioError family `usage` code `not-a-count`. */
export function countOption(value: string | undefined, option: string): number | undefined {
  if (value === undefined) return undefined;
  if (!/^[1-9]\d{0,14}$/.test(value))
    throw usageError('not-a-count', `${option} takes a whole number above 0, not "${value}".`);
  return Number(value);
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ['kb', 1e3],
  ['mb', 1e6],
  ['gb', 1e9],
  ['tb', 1e12],
  ['kib', 2 ** 10],
  ['mib', 2 ** 20],
  ['gib', 2 ** 30],
  ['tib', 2 ** 40],
]);

/** "24GiB", "24 GB" or "24000000000" in bytes. @throws StudioError family `usage` code `not-a-size`. */
export function byteSize(value: string, option: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(value);
  const unit = UNITS.get(match?.[2]?.toLowerCase() ?? '?');
  if (match === null || unit === undefined)
    throw usageError('not-a-size', `${option} takes a size such as 24GB or 24GiB, not "${value}".`);
  return Math.floor(Number(match[1]) * unit);
}

/** "l:e,l:e,…" as layer → experts. @throws StudioError family `usage` code `bad-experts`. */
export function expertSet(value: string, option: string): Map<number, Set<number>> {
  const sets = new Map<number, Set<number>>();
  for (const part of value.split(',')) {
    const match = /^\s*(\d+):(\d+)\s*$/.exec(part);
    if (match === null)
      throw usageError('bad-experts', `${option} takes pairs of layer:expert such as 3:17,4:0, not "${part}".`);
    const layer = Number(match[1]);
    sets.set(layer, (sets.get(layer) ?? new Set()).add(Number(match[2])));
  }
  return sets;
}
