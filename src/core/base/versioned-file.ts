import * as z from 'zod/mini';
import { StudioError } from './errors.ts';

// Without this zod compiles its checks with `new Function`, which the page's content security policy forbids.
z.config({ jitless: true });

/** What a studio file is called, and how its refusals are tagged. */
export interface VersionedFileKind {
  readonly family: 'calibration' | 'checkpoint' | 'plan';
  readonly format: string;
  readonly version: number;
  /** "statistics" or "plan", for sentences. */
  readonly noun: string;
  /** Code of a refusal of the content. */
  readonly invalidCode: string;
  readonly nextStep: string;
}

export const sha256Schema = z.string().check(z.regex(/^[0-9a-f]{64}$/));
export const wholeNumberSchema = z.int().check(z.nonnegative());
export const gateSchema = z.enum(['model', 'reference']);
export const modelIdentitySchema = z.strictObject({
  architecture: z.string().check(z.minLength(1)),
  fingerprint: sha256Schema,
  source: z.string(),
});
export const domainIdentitySchema = z.strictObject({
  name: z.string().check(z.minLength(1)),
  tokens: wholeNumberSchema,
  sequences: wholeNumberSchema,
  hash: sha256Schema,
});

/**
 * Parses a versioned studio file in the order that helps a person most: is it JSON, is it this kind of file, is it from
 * a newer studio, and only then whether every field is right. Keys that the schema does not know are refused.
 *
 * @throws StudioError with the codes not-json, wrong-format, newer-version, or the kind's own code naming the path.
 */
export function readVersionedFile<Schema extends z.ZodMiniType>(
  text: string,
  kind: VersionedFileKind,
  schema: Schema,
): z.output<Schema> {
  const json = parseJson(text, kind);
  const format = field(json, 'format');
  if (format !== kind.format) {
    const found = typeof format === 'string' ? `its format is "${format.slice(0, 80)}"` : 'it has no "format"';
    throw new StudioError(kind.family, 'wrong-format', `This is not a ${kind.noun} file of the studio: ${found}.`, {
      nextStep: kind.nextStep,
      details: { expected: kind.format },
    });
  }
  const version = field(json, 'version');
  if (typeof version === 'number' && version > kind.version) {
    throw new StudioError(
      kind.family,
      'newer-version',
      `This ${kind.noun} file has version ${version}; this studio reads up to version ${kind.version}.`,
      { nextStep: 'Update the studio, or make the file again with this one.', details: { version } },
    );
  }
  const result = z.safeParse(schema, json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw refusal(kind, pathText(issue?.path ?? []), issue === undefined ? 'is not as it should be' : issueText(issue));
}

/** The refusal of a field, for checks that a schema cannot express; `problem` continues the sentence after the path. */
export function refusal(kind: VersionedFileKind, path: string, problem: string): StudioError {
  return new StudioError(kind.family, kind.invalidCode, `In this ${kind.noun} file, ${path} ${problem}.`, {
    nextStep: kind.nextStep,
    details: { path },
  });
}

/** JSON with the head's fields and then one layer a line, keys in the order given, ending in a newline. */
export function versionedFileText(head: Readonly<Record<string, unknown>>, layers: readonly unknown[]): string {
  const fields = Object.entries(head).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)},\n`);
  const lines = layers.map((layer) => `\n${JSON.stringify(layer)}`);
  return `{${fields.join('')}"layers":[${lines.join(',')}\n]}\n`;
}

const TYPE_WORDS: ReadonlyMap<string, string> = new Map([
  ['number', 'a finite number'],
  ['int', 'a whole number'],
  ['string', 'a text'],
  ['array', 'a list'],
  ['object', 'an object'],
  ['record', 'an object'],
]);

function parseJson(text: string, kind: VersionedFileKind): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new StudioError(kind.family, 'not-json', `This ${kind.noun} file is not JSON, or it was cut off.`, {
      nextStep: kind.nextStep,
      cause,
    });
  }
}

function field(json: unknown, key: string): unknown {
  if (typeof json !== 'object' || json === null || !Object.hasOwn(json, key)) return undefined;
  return Reflect.get(json, key);
}

function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return text.startsWith('.') ? text.slice(1) : text === '' ? 'the top level' : text;
}

function issueText(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return `has the unknown key "${issue.keys[0] ?? ''}"`;
    case 'invalid_value':
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'too_small':
      return issue.origin === 'string' ? 'must not be empty' : `must be at least ${String(issue.minimum)}`;
    case 'invalid_format':
      return 'must be a sha256 in 64 small hexadecimal digits';
    case 'invalid_key':
      return 'has a key that is not an expert index';
    case 'invalid_type':
      return `must be ${TYPE_WORDS.get(issue.expected) ?? issue.expected}`;
    default:
      return 'is not as it should be';
  }
}
