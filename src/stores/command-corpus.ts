import type { DomainSpec, TextSpec } from '../core/protocol/source-spec.ts';
import { chosenDomains } from './corpus-store.ts';
import type { RunSettings } from './plan-origin.ts';

interface CorpusArguments {
  readonly arguments: readonly (readonly string[])[];
  /** Ready token ids take neither a limit nor a length. */
  readonly isTokens: boolean;
  /** Hub that data sets come from; null without any. */
  readonly endpoint: string | null;
  readonly notes: readonly string[];
}

/** The texts of a run as options of `calibrate`; null without any. Files of the person lie under `folder`, for her to replace. */
export function corpusArguments(texts: Pick<RunSettings, 'bundled' | 'own'>, folder: string): CorpusArguments | null {
  const domains = chosenDomains(texts);
  const [only] = domains;
  if (only === undefined) return null;
  const pieces = domains.flatMap((domain) => domain.texts);
  const hub = pieces.find((text) => text.kind === 'hub')?.hub;
  const tokens = domains.length === 1 ? tokenFileOf(only) : null;
  return {
    arguments:
      tokens === null
        ? domains.flatMap((domain) => domainArguments(domain, folder))
        : [['--tokens', `${folder}/${tokens}`]],
    isTokens: tokens !== null,
    endpoint: hub?.endpoint ?? null,
    notes: [
      ...(pieces.some(({ kind }) => kind === 'text')
        ? ['Text that was typed in is in no file: save it under the name that stands there.']
        : []),
      ...(pieces.some(({ kind }) => kind === 'file')
        ? [`Put the folder of your text files in place of ${folder}.`]
        : []),
      ...(hub?.token === undefined
        ? []
        : ['A data set was opened with a token, which is not part of the command: set it as HF_TOKEN.']),
    ],
  };
}

function tokenFileOf({ texts }: DomainSpec): string | null {
  const [text] = texts;
  return text?.kind === 'file' && texts.length === 1 && /\.json$/i.test(text.file.name) ? text.file.name : null;
}

function domainArguments({ name, texts, column }: DomainSpec, folder: string): (readonly string[])[] {
  const [first] = texts;
  const domain = first?.kind === 'hub' ? `${first.hub.repo}[${first.subset}](${first.split})` : name;
  return [
    ...texts.map((text) => ['--corpus', corpusOf(text, name, folder)]),
    ...(column === undefined ? [] : [['--corpus-column', `${domain}=${column}`]]),
  ];
}

function corpusOf(text: TextSpec, name: string, folder: string): string {
  switch (text.kind) {
    case 'http': {
      const { pathname } = new URL(text.url);
      return `public${pathname.slice(pathname.lastIndexOf('/demo/'))}:${name}`;
    }
    case 'file':
      return `${folder}/${text.file.name}:${name}`;
    case 'text':
      return `${folder}/${name}.txt:${name}`;
    case 'hub':
      return `hf:${text.hub.repo}@${text.hub.commit}[${text.subset}](${text.split}):${text.samples}`;
  }
}
