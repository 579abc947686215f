import type { ByteSource } from '../bytes/byte-source.ts';
import { formatChoice } from './column-choice.ts';
import type { TextDomain } from './corpus.ts';
import type { CorpusDocument } from './corpus-document.ts';
import { type OpenedText, openText } from './text-reader.ts';

/** What was found in a file, before its text is used. */
export interface TextFinding {
  readonly domain: string;
  readonly file: string;
  /** "messages" or "instruction+output"; null for plain text. */
  readonly column: string | null;
  readonly isDetected: boolean;
  /** Text as it stands, or conversations: a chat template's business. */
  readonly holds: 'text' | 'chat';
  /** Null where the file would have to be read whole to know. */
  readonly rows: number | null;
}

export interface DomainFiles {
  readonly name: string;
  /** Where the text comes from, for people and for the record. */
  readonly source: string;
  /** One opener a file; no file is opened before it is needed, except the first. */
  readonly files: readonly (() => Promise<ByteSource>)[];
  /** "messages" or "instruction+output", for all files; left out: as detected in each. */
  readonly column?: string | undefined;
  /** The first so many documents; all without it. */
  readonly samples?: number | undefined;
}

/**
 * The documents of several files as one domain, read as far as they are needed.
 *
 * @param onFound hears of each file before its text is used
 * @throws StudioError as openText and chooseColumns, for the first file at once, for the others when they are reached
 */
export async function openDomain(
  { name, source, files, column, samples }: DomainFiles,
  onFound: (finding: TextFinding) => void,
  signal?: AbortSignal,
): Promise<TextDomain> {
  const open = async (opener: () => Promise<ByteSource>): Promise<OpenedText> => {
    const file = await opener();
    const opened = await openText(file, { column, signal });
    const choice = opened.chosen();
    onFound({
      domain: name,
      file: file.name,
      column: choice.length === 0 ? null : formatChoice(choice),
      isDetected: column === undefined,
      holds: choice.length > 1 || opened.detection?.kinds.get(choice[0] ?? '') === 'messages' ? 'chat' : 'text',
      rows: opened.rowCount,
    });
    return opened;
  };
  const [first, ...rest] = files;
  const opened = first === undefined ? undefined : await open(first);
  return {
    name,
    source,
    documents: (async function* (): AsyncGenerator<CorpusDocument> {
      let taken = 0;
      for (let index = -1; index < rest.length; index++) {
        const opener = rest[index];
        const text = opener === undefined ? opened : await open(opener);
        for await (const document of text?.documents() ?? []) {
          if (taken === samples) return;
          taken += 1;
          yield document;
        }
        if (taken === samples) return;
      }
    })(),
  };
}
