import { StudioError } from '../base/errors.ts';
import type { ChatMessage } from './chat-template.ts';

/** One document of a corpus: bare text, or a conversation that the model's chat template turns into text. */
export type CorpusDocument =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'chat';
      readonly messages: readonly ChatMessage[];
      readonly tools?: readonly unknown[] | undefined;
    };

export interface ReadLimits {
  /** Bytes of a plain text file, which becomes one string. */
  readonly maxTextBytes: number;
  /** Bytes of one line of a JSONL file. */
  readonly maxLineBytes: number;
}

/** Well below the longest string that browsers allow, 2^29 characters. */
export const READ_LIMITS: ReadLimits = { maxTextBytes: 2 ** 28, maxLineBytes: 2 ** 26 };

/**
 * Reads the documents of one file by its name's ending: `.txt` and `.md` are one document each, `.jsonl` and `.ndjson`
 * one document a line, `{"text": …}` or `{"messages": [{"role", "content"}, …]}` (with `"tools"` where there are any).
 * Blank lines hold no document; nothing else is left out, an empty text stays an empty document. A byte order mark is
 * dropped; line ends stay as they are.
 *
 * @param name file name, for the format and for messages
 * @throws StudioError corpus/unknown-text-format, corpus/bad-encoding (line and byte offset), corpus/bad-line (line),
 *   corpus/text-too-large, corpus/empty-text when no document has any text
 */
export function readDocuments(name: string, bytes: Uint8Array, limits: ReadLimits = READ_LIMITS): CorpusDocument[] {
  const ending = /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase();
  switch (ending) {
    case 'txt':
    case 'md':
      return requireText(name, [
        { kind: 'text', text: decode(name, bytes, limits.maxTextBytes, { line: null, offset: 0 }) },
      ]);
    case 'jsonl':
    case 'ndjson':
      return requireText(name, readLines(name, bytes, limits));
    default:
      throw new StudioError('corpus', 'unknown-text-format', `"${name}" is neither plain text nor JSONL.`, {
        nextStep: 'Give a .txt file, or a .jsonl file with {"text": …} or {"messages": […]} on each line.',
        details: { file: name },
      });
  }
}

function readLines(name: string, bytes: Uint8Array, limits: ReadLimits): CorpusDocument[] {
  const documents: CorpusDocument[] = [];
  for (let offset = 0, line = 1; offset < bytes.length; line += 1) {
    const newline = bytes.indexOf(0x0a, offset);
    const end = newline === -1 ? bytes.length : newline;
    const text = decode(name, bytes.subarray(offset, end), limits.maxLineBytes, { line, offset });
    if (text.trim() !== '') documents.push(parseLine(name, line, text));
    offset = end + 1;
  }
  return documents;
}

function parseLine(name: string, line: number, text: string): CorpusDocument {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw badLine(name, line, 'is not valid JSON', cause);
  }
  if (!isRecord(content)) throw badLine(name, line, 'is not a JSON object');
  if (Object.hasOwn(content, 'text')) {
    if (typeof content.text !== 'string') throw badLine(name, line, 'has a "text" that is not a string');
    return { kind: 'text', text: content.text };
  }
  if (!Object.hasOwn(content, 'messages')) throw badLine(name, line, 'has neither "text" nor "messages"');
  if (!Array.isArray(content.messages) || content.messages.length === 0) {
    throw badLine(name, line, 'has "messages" that are not a list with entries');
  }
  const messages = content.messages.map((message: unknown, index) => {
    if (isMessage(message)) return message;
    throw badLine(name, line, `has a message (number ${index + 1}) without "role" and "content"`);
  });
  const tools = Object.hasOwn(content, 'tools') ? (content.tools ?? undefined) : undefined;
  if (tools !== undefined && !Array.isArray(tools)) throw badLine(name, line, 'has "tools" that are not a list');
  return { kind: 'chat', messages, tools };
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Content is text, a list of parts, or null where a message only calls tools. */
function isMessage(value: unknown): value is ChatMessage {
  if (!isRecord(value) || !Object.hasOwn(value, 'role') || typeof value.role !== 'string') return false;
  const content = Object.hasOwn(value, 'content') ? value.content : undefined;
  return typeof content === 'string' || Array.isArray(content) || (content === null && Array.isArray(value.tool_calls));
}

interface Place {
  /** From 1, or null where the bytes are the whole file. */
  readonly line: number | null;
  /** Of the first byte in the file. */
  readonly offset: number;
}

function decode(name: string, bytes: Uint8Array, limit: number, place: Place): string {
  if (bytes.length > limit) {
    const what = place.line === null ? `"${name}"` : `Line ${place.line} of "${name}"`;
    throw new StudioError('corpus', 'text-too-large', `${what} has ${bytes.length} bytes; at most ${limit} are read.`, {
      nextStep: 'Split it into smaller documents: one JSONL line for each.',
      details: { file: name, line: place.line, bytes: bytes.length, limit },
    });
  }
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

function countNewlines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) count += 1;
  return count;
}

function requireText(name: string, documents: CorpusDocument[]): CorpusDocument[] {
  if (documents.some((document) => document.kind === 'chat' || document.text.trim() !== '')) return documents;
  throw new StudioError('corpus', 'empty-text', `"${name}" has no text.`, {
    nextStep: 'Give a file with at least a few words.',
    details: { file: name },
  });
}

function badLine(name: string, line: number, what: string, cause?: unknown): StudioError {
  return new StudioError('corpus', 'bad-line', `Line ${line} of "${name}" ${what}.`, {
    nextStep: 'Write one JSON object a line: {"text": …} or {"messages": [{"role": …, "content": …}, …]}.',
    details: { file: name, line },
    cause,
  });
}
