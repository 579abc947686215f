import { MAX_FILE_NAME_BYTES, MAX_PERCENT_ROUNDS } from './limits.ts';

const EXTENSION = '.safetensors';
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f/\\:*?"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|\s*$)/i;

function decodePercent(name: string): string {
  return name.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function problemOf(name: string): string | undefined {
  if (FORBIDDEN.test(name)) return 'a path or a character that file names cannot hold';
  if (name.startsWith('.') || name.includes('..')) return 'dots that lead out of the folder or hide the file';
  if (/^\s|[\s.]$/.test(name)) return 'a blank or dot at its beginning or end';
  if (RESERVED.test(name)) return 'a name that Windows reserves';
  return undefined;
}

/**
 * Why `name` must not be used as a shard's file name, or undefined when it is a plain `….safetensors` in the same folder.
 * Looks at the name as it stands and as it reads after each round of percent-decoding.
 */
export function shardNameProblem(name: string): string | undefined {
  if (!name.endsWith(EXTENSION)) return `no ${EXTENSION} at its end`;
  if (!name.isWellFormed() || new TextEncoder().encode(name).byteLength > MAX_FILE_NAME_BYTES) {
    return 'more characters than file names can hold';
  }
  let current = name;
  for (let round = 0; round < MAX_PERCENT_ROUNDS; round++) {
    const problem = problemOf(current);
    if (problem !== undefined) return problem;
    const decoded = decodePercent(current);
    if (decoded === current) return undefined;
    current = decoded;
  }
  return 'percent signs that hide what it means';
}
