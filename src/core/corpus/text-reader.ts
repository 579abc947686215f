import { StudioError } from '../base/errors.ts';
import type { ByteSource } from '../bytes/byte-source.ts';
import {
  type ColumnChoice,
  chooseColumns,
  columnKinds,
  type Detection,
  detectColumns,
  kindsOfRows,
  SAMPLE_ROWS,
  TOOLS_COLUMN,
} from './column-choice.ts';
import type { CorpusDocument } from './corpus-document.ts';
import { checkTextSize, decodeText } from './decode-text.ts';
import { jsonlRows, openJsonl } from './jsonl-rows.ts';
import { documentOf } from './row-document.ts';
import type { RowTable } from './rows.ts';

export interface ReadLimits {
  /** Bytes of a plain text file, which becomes one string. */
  readonly maxTextBytes: number;
  /** Bytes of one line of a JSONL file. */
  readonly maxLineBytes: number;
}

/** Well below the longest string that browsers allow, 2^29 characters. */
export const READ_LIMITS: ReadLimits = { maxTextBytes: 2 ** 28, maxLineBytes: 2 ** 26 };

export interface TextOptions {
  /** "messages" or "instruction+output"; left out: as detected. */
  readonly column?: string | undefined;
  readonly limits?: ReadLimits;
  readonly signal?: AbortSignal | undefined;
}

/** A file of text that was looked at: its columns are known, its documents not read. */
export interface OpenedText {
  /** How the columns were found; null for plain text, which has none. */
  readonly detection: Detection | null;
  /** Rows in the file; null where it would have to be read whole to know. */
  readonly rowCount: number | null;
  /** @throws StudioError as chooseColumns */
  chosen(): ColumnChoice;
  /** The documents in order; stopping early leaves the rest unread. */
  documents(): AsyncIterable<CorpusDocument>;
}

type Format = 'text' | 'jsonl' | 'parquet';

/** @throws StudioError corpus/unknown-text-format */
export function textFormat(name: string): Format {
  const ending = /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase();
  switch (ending) {
    case 'txt':
    case 'md':
      return 'text';
    case 'jsonl':
    case 'ndjson':
      return 'jsonl';
    case 'parquet':
      return 'parquet';
    default:
      throw new StudioError('corpus', 'unknown-text-format', `"${name}" is neither plain text nor JSONL nor parquet.`, {
        nextStep:
          'Give a .txt file, a .jsonl file with {"text": …} or {"messages": […]} on each line, or a .parquet file.',
        details: { file: name },
      });
  }
}

/**
 * Opens one file of text by its name's ending: `.txt` and `.md` are one document each; `.jsonl`, `.ndjson` and `.parquet`
 * one document a row, of the columns that are chosen or detected. Rows whose columns are null or empty lists hold no
 * document; nothing else is left out, an empty text stays an empty document. A byte order mark is dropped; line ends stay as
 * they are.
 *
 * @throws StudioError corpus/unknown-text-format, corpus/bad-encoding (line and byte offset), corpus/bad-line,
 *   corpus/text-too-large, those of the parquet reader; what the source throws
 */
export async function openText(source: ByteSource, options: TextOptions = {}): Promise<OpenedText> {
  const { column, limits = READ_LIMITS, signal } = options;
  const { name } = source;
  const format = textFormat(name);
  if (format === 'text') {
    if (column !== undefined) chooseColumns(name, detectColumns(new Map()), column);
    return {
      detection: null,
      rowCount: 1,
      chosen: () => [],
      documents: async function* () {
        checkTextSize(name, source.size, limits.maxTextBytes, null);
        const bytes = await source.read(0, source.size, signal);
        yield { kind: 'text', text: decodeText(name, bytes, limits.maxTextBytes, { line: null, offset: 0 }) };
      },
    };
  }
  const table = await openTable(format, source, limits, signal);
  const detection = detectColumns(await columnKinds(table));
  return {
    detection,
    rowCount: table.rowCount,
    chosen: () => chooseColumns(name, detection, column),
    documents: () => rowDocuments(table, chooseColumns(name, detection, column), column === undefined),
  };
}

async function openTable(
  format: Format,
  source: ByteSource,
  limits: ReadLimits,
  signal?: AbortSignal,
): Promise<RowTable> {
  if (format === 'jsonl') return openJsonl(source, limits.maxLineBytes, signal);
  // Loaded when the first such file comes: most never do.
  const { openParquet } = await import('./parquet/parquet-rows.ts');
  return openParquet(source, signal);
}

async function* rowDocuments(table: RowTable, choice: ColumnChoice, mixed: boolean): AsyncGenerator<CorpusDocument> {
  const wanted = table.kinds?.has(TOOLS_COLUMN) === true && choice.length === 1 ? [...choice, TOOLS_COLUMN] : choice;
  for await (const row of table.rows(wanted)) {
    const document = documentOf(table, row, choice, mixed && table.kinds === null);
    if (document !== undefined) yield document;
  }
}

/**
 * The documents of a `.txt`, `.md`, `.jsonl` or `.ndjson` file that is in memory, as openText gives them.
 *
 * @param name file name, for the format and for messages
 * @throws StudioError as openText; corpus/empty-text when no document has any text
 */
export function readDocuments(name: string, bytes: Uint8Array, limits: ReadLimits = READ_LIMITS): CorpusDocument[] {
  const format = textFormat(name);
  if (format === 'text') {
    return requireText(name, [
      { kind: 'text', text: decodeText(name, bytes, limits.maxTextBytes, { line: null, offset: 0 }) },
    ]);
  }
  const rows = [...jsonlRows(name, bytes, limits.maxLineBytes)];
  if (rows.length === 0) return requireText(name, []);
  const choice = chooseColumns(name, detectColumns(kindsOfRows(rows.slice(0, SAMPLE_ROWS))), undefined);
  const documents = rows.map((row) => documentOf({ name, unit: 'Line' }, row, choice, true));
  return requireText(
    name,
    documents.filter((document) => document !== undefined),
  );
}

function requireText(name: string, documents: CorpusDocument[]): CorpusDocument[] {
  if (documents.some((document) => document.kind === 'chat' || document.text.trim() !== '')) return documents;
  throw new StudioError('corpus', 'empty-text', `"${name}" has no text.`, {
    nextStep: 'Give a file with at least a few words.',
    details: { file: name },
  });
}
