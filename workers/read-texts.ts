import { StudioError } from '../src/core/base/errors.ts';
import type { TextDomain } from '../src/core/corpus/corpus.ts';
import { type CorpusDocument, readDocuments } from '../src/core/corpus/text-reader.ts';
import type { DomainSpec, TextSpec } from '../src/core/protocol/source-spec.ts';

async function fetchBytes(url: string, signal: AbortSignal): Promise<Uint8Array> {
  const failed = (reason: string, cause?: unknown): StudioError =>
    new StudioError('corpus', 'text-unreachable', `The text at ${url} could not be loaded: ${reason}.`, {
      nextStep: 'Check the connection and try again.',
      details: { url },
      ...(cause === undefined ? {} : { cause }),
    });
  const response = await fetch(url, { signal }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw failed('no answer', cause);
  });
  if (!response.ok) throw failed(`status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function readText(text: TextSpec, signal: AbortSignal): Promise<readonly CorpusDocument[]> {
  switch (text.kind) {
    case 'http':
      return readDocuments(
        new URL(text.url, self.location.href).pathname.split('/').at(-1) ?? text.url,
        await fetchBytes(text.url, signal),
      );
    case 'file':
      return readDocuments(text.file.name, new Uint8Array(await text.file.arrayBuffer()));
    case 'text':
      return readDocuments('typed text.txt', new TextEncoder().encode(text.text));
  }
}

function sourceOf(text: TextSpec): string {
  switch (text.kind) {
    case 'http':
      return text.url;
    case 'file':
      return text.file.name;
    case 'text':
      return 'typed text';
  }
}

/** Fetches and reads the documents of every domain. @throws StudioError family `corpus`. */
export async function readTexts(domains: readonly DomainSpec[], signal: AbortSignal): Promise<TextDomain[]> {
  const read: TextDomain[] = [];
  for (const { name, texts } of domains) {
    const documents: CorpusDocument[] = [];
    for (const text of texts) documents.push(...(await readText(text, signal)));
    read.push({ name, source: texts.map(sourceOf).join(', '), documents });
  }
  return read;
}
