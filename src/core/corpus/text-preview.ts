import { isStudioError, toWireError, type WireError } from '../base/errors.ts';
import type { ByteSource } from '../bytes/byte-source.ts';
import type { ChatTemplate } from './chat-template.ts';
import { formatChoice } from './column-choice.ts';
import type { CorpusDocument } from './corpus-document.ts';
import { countNewlines } from './decode-text.ts';
import { openText } from './text-reader.ts';

/** How the documents become text: as they stand, by the model's chat template, or without one. */
export type TextForm = 'text' | 'chat' | 'plain';

/** What a file of text holds and how it will be used, for a person to see before it is. */
export interface TextPreview {
  /** "messages" or "instruction+output"; null for plain text, and where none could be chosen. */
  readonly column: string | null;
  /** Every choice there is, the likeliest first. */
  readonly choices: readonly string[];
  readonly form: TextForm;
  /** Rows of the file; null where it is empty or unknown. */
  readonly rows: { readonly count: number; readonly isEstimate: boolean } | null;
  /** Beginnings of the first documents, as the model will see them. */
  readonly samples: readonly string[];
  /** Why it cannot be used as it is; null where it can. */
  readonly refusal: WireError | null;
}

export interface PreviewOptions {
  readonly column?: string | undefined;
  /** The open model's template; left out: it has none, or no model is open. */
  readonly chatTemplate?: ChatTemplate | undefined;
  readonly signal?: AbortSignal | undefined;
}

const SAMPLES = 3;
const SAMPLE_CHARACTERS = 600;
/** A file without a row count is counted so far, and estimated from there. */
const COUNTED_BYTES = 2 ** 22;

/**
 * Looks at a file: its columns, how many rows, and the first documents' text.
 * @throws StudioError as openText; what is wrong with the columns or rows stands in `refusal`
 */
export async function previewText(source: ByteSource, options: PreviewOptions = {}): Promise<TextPreview> {
  const { column, chatTemplate, signal } = options;
  const opened = await openText(source, { column, signal });
  const samples: string[] = [];
  let form: TextForm = 'text';
  let chosen: string | null = null;
  let refusal: WireError | null = null;
  try {
    const choice = opened.chosen();
    chosen = choice.length === 0 ? null : formatChoice(choice);
    for await (const document of opened.documents()) {
      if (document.kind === 'chat') form = chatTemplate === undefined ? 'plain' : 'chat';
      samples.push(shortened(render(document, chatTemplate)));
      if (samples.length === SAMPLES) break;
    }
  } catch (error) {
    if (!isStudioError(error, 'corpus')) throw error;
    refusal = toWireError(error);
  }
  const choices = opened.detection?.choices.map(formatChoice) ?? [];
  const rows =
    opened.rowCount === null ? await countLines(source, signal) : { count: opened.rowCount, isEstimate: false };
  return { column: chosen, choices, form, rows, samples, refusal };
}

function render(document: CorpusDocument, template: ChatTemplate | undefined): string {
  if (document.kind === 'text') return document.text;
  if (template !== undefined) return template.render(document);
  if (document.plain !== undefined) return document.plain;
  const said = (content: unknown) => (typeof content === 'string' ? content : (JSON.stringify(content) ?? ''));
  return document.messages.map(({ role, content }) => `${role}: ${said(content)}`).join('\n');
}

function shortened(text: string): string {
  return text.length <= SAMPLE_CHARACTERS ? text : `${text.slice(0, SAMPLE_CHARACTERS).toWellFormed()}…`;
}

async function countLines(source: ByteSource, signal?: AbortSignal): Promise<TextPreview['rows']> {
  const read = Math.min(source.size, COUNTED_BYTES);
  if (read === 0) return null;
  const bytes = await source.read(0, read, signal);
  const lines = countNewlines(bytes);
  if (read < source.size) return { count: Math.max(1, Math.round((lines * source.size) / read)), isEstimate: true };
  return { count: lines + (bytes[read - 1] === 0x0a ? 0 : 1), isEstimate: false };
}
