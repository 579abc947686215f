import { StudioError } from '../base/errors.ts';

/** Where bytes stand in their file. */
export interface TextPlace {
  /** From 1, or null where the bytes are the whole file. */
  readonly line: number | null;
  /** Of the first byte in the file. */
  readonly offset: number;
}

/** @throws StudioError corpus/text-too-large */
export function checkTextSize(name: string, bytes: number, limit: number, line: number | null): void {
  if (bytes <= limit) return;
  const what = line === null ? `"${name}"` : `Line ${line} of "${name}"`;
  throw new StudioError('corpus', 'text-too-large', `${what} has ${bytes} bytes; at most ${limit} are read.`, {
    nextStep: 'Split it into smaller documents: one JSONL line for each.',
    details: { file: name, line, bytes, limit },
  });
}

/**
 * UTF-8 as text, without the byte order mark that a file may begin with.
 * @throws StudioError corpus/text-too-large; corpus/bad-encoding with line and byte offset
 */
export function decodeText(name: string, bytes: Uint8Array, limit: number, place: TextPlace): string {
  checkTextSize(name, bytes.length, limit, place.line);
  try {
    // A byte order mark means something at the start of a file only; elsewhere it is a character of the text.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: place.offset > 0 }).decode(bytes);
  } catch (cause) {
    const at = firstInvalidByte(bytes);
    const line = place.line ?? 1 + countNewlines(bytes.subarray(0, at));
    const utf16 =
      place.offset === 0 && ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff));
    throw new StudioError(
      'corpus',
      'bad-encoding',
      `"${name}" is not UTF-8${utf16 ? ' but UTF-16' : ''}: line ${line}, byte ${place.offset + at}.`,
      {
        nextStep: 'Save the file as UTF-8 and open it again.',
        details: { file: name, line, offset: place.offset + at },
        cause,
      },
    );
  }
}

/** Offset of the byte at which decoding fails first; the length where only the end is cut off. By bisection over prefixes. */
function firstInvalidByte(bytes: Uint8Array): number {
  let valid = 0;
  let failing = bytes.length + 1;
  while (failing - valid > 1) {
    const length = Math.floor((valid + failing) / 2);
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
      valid = length;
    } catch {
      failing = length;
    }
  }
  return valid;
}

export function countNewlines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) count += 1;
  return count;
}
