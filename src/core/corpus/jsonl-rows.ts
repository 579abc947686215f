import { throwIfAborted } from '../base/abort.ts';
import type { ByteSource } from '../bytes/byte-source.ts';
import { checkTextSize, decodeText } from './decode-text.ts';
import { badRow } from './row-document.ts';
import type { Row, RowTable } from './rows.ts';

/** Bytes of the first read; each further read takes twice as many, up to the last. */
const FIRST_PIECE = 2 ** 17;
const LAST_PIECE = 2 ** 22;
const NEWLINE = 0x0a;

/**
 * A file of JSON objects, one a line, as a table of rows. It is read piece by piece: whoever stops early leaves the rest
 * unread. Blank lines are no rows.
 *
 * @param maxLineBytes of one line
 */
export function openJsonl(source: ByteSource, maxLineBytes: number, signal?: AbortSignal): RowTable {
  const { name } = source;
  return {
    name,
    unit: 'Line',
    kinds: null,
    rowCount: null,
    rows: async function* () {
      for await (const line of readLines(source, maxLineBytes, signal)) {
        const row = parseLine(name, line, maxLineBytes);
        if (row !== undefined) yield row;
      }
    },
  };
}

/** The rows of a JSONL file that is in memory. */
export function* jsonlRows(name: string, bytes: Uint8Array, maxLineBytes: number): Generator<Row> {
  for (let offset = 0, line = 1; offset < bytes.length; line += 1) {
    const newline = bytes.indexOf(NEWLINE, offset);
    const end = newline === -1 ? bytes.length : newline;
    const row = parseLine(name, { bytes: bytes.subarray(offset, end), line, offset }, maxLineBytes);
    if (row !== undefined) yield row;
    offset = end + 1;
  }
}

interface RawLine {
  /** Without the newline. */
  readonly bytes: Uint8Array;
  /** From 1. */
  readonly line: number;
  /** Of its first byte in the file. */
  readonly offset: number;
}

async function* readLines(source: ByteSource, maxLineBytes: number, signal?: AbortSignal): AsyncGenerator<RawLine> {
  let piece = FIRST_PIECE;
  let line = 1;
  // What is read of a line whose end is not read yet, in the pieces that it lies in.
  let open: Uint8Array[] = [];
  let openBytes = 0;
  let offset = 0;
  for (let at = 0; at < source.size; ) {
    throwIfAborted(signal);
    const bytes = await source.read(at, Math.min(piece, source.size - at), signal);
    at += bytes.length;
    piece = Math.min(2 * piece, LAST_PIECE);
    let from = 0;
    for (let newline = bytes.indexOf(NEWLINE); newline !== -1; newline = bytes.indexOf(NEWLINE, from)) {
      yield { bytes: join([...open, bytes.subarray(from, newline)]), line, offset };
      offset += openBytes + newline + 1 - from;
      line += 1;
      open = [];
      openBytes = 0;
      from = newline + 1;
    }
    open.push(bytes.subarray(from));
    openBytes += bytes.length - from;
    checkTextSize(source.name, openBytes, maxLineBytes, line);
  }
  if (openBytes > 0) yield { bytes: join(open), line, offset };
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const [only, ...more] = parts;
  if (only !== undefined && more.length === 0) return only;
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function parseLine(name: string, { bytes, line, offset }: RawLine, maxLineBytes: number): Row | undefined {
  const text = decodeText(name, bytes, maxLineBytes, { line, offset });
  if (text.trim() === '') return undefined;
  const bad = (what: string, cause?: unknown) => badRow({ name, unit: 'Line' }, line, what, cause);
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw bad('is not valid JSON', cause);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) throw bad('is not a JSON object');
  return { number: line, values: new Map(Object.entries(content)) };
}
