import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { StudioError } from '../core/base/errors.ts';
import type { Checkpoint } from '../core/checkpoint/checkpoint.ts';
import { buildCorpus, type Corpus, corpusFromTokens, type TextDomain } from '../core/corpus/corpus.ts';
import { loadModelTokenizer } from '../core/corpus/model-tokenizer.ts';
import { parseTokenFile } from '../core/corpus/packing.ts';
import { readDocuments } from '../core/corpus/text-reader.ts';
import { countOption, usageError } from './arguments.ts';

/** The options of every command that reads text or tokens. */
export const CORPUS_OPTIONS = {
  tokens: { type: 'string' },
  corpus: { type: 'string', multiple: true },
  'max-tokens': { type: 'string' },
  'sequence-length': { type: 'string' },
} as const;

interface CorpusOptionValues {
  readonly tokens?: string | undefined;
  readonly corpus?: string[] | undefined;
  readonly 'max-tokens'?: string | undefined;
  readonly 'sequence-length'?: string | undefined;
}

/** @throws StudioError family `usage` for numbers that are none, or limits that ready token ids cannot follow. */
export function corpusChoice(values: CorpusOptionValues): CorpusChoice {
  const { tokens, corpus } = values;
  const maxTokens = countOption(values['max-tokens'], '--max-tokens');
  const sequenceLength = countOption(values['sequence-length'], '--sequence-length');
  if (tokens !== undefined && (maxTokens !== undefined || sequenceLength !== undefined)) {
    throw usageError(
      'tokens-as-they-are',
      '--tokens are run as they are: leave out --max-tokens and --sequence-length.',
    );
  }
  return { tokens, corpus, maxTokens, sequenceLength };
}

export interface CorpusChoice {
  readonly tokens?: string | undefined;
  /** FILE or FILE:name; files of one name make one domain. */
  readonly corpus?: readonly string[] | undefined;
  readonly maxTokens?: number | undefined;
  readonly sequenceLength?: number | undefined;
}

const DEFAULT_SEQUENCE_LENGTH = 2048;

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new StudioError('corpus', 'unreadable', `"${path}" cannot be read.`, {
      nextStep: 'Check the path and that you may read the file.',
      details: { file: path },
      cause,
    });
  }
}

/** "texts/python.jsonl:python" → path and name; without a name, the file's own without its endings. */
function splitSpec(spec: string): { path: string; name: string } {
  const at = spec.lastIndexOf(':');
  // One letter before the colon is a drive, and a name holds no separator.
  if (at > 1 && !/[\\/]/.test(spec.slice(at + 1)) && at < spec.length - 1)
    return { path: spec.slice(0, at), name: spec.slice(at + 1) };
  return { path: spec, name: basename(spec).replace(/\..*$/, '') };
}

async function readDomains(specs: readonly string[]): Promise<TextDomain[]> {
  const domains = new Map<string, { name: string; source: string; documents: ReturnType<typeof readDocuments> }>();
  for (const spec of specs) {
    const { path, name } = splitSpec(spec);
    const documents = readDocuments(basename(path), await readBytes(path));
    const known = domains.get(name);
    domains.set(name, {
      name,
      source: known === undefined ? path : `${known.source}, ${path}`,
      documents: known === undefined ? documents : [...known.documents, ...documents],
    });
  }
  return [...domains.values()];
}

/**
 * The corpus that `--tokens` or `--corpus` names.
 * @throws StudioError families `usage` (neither or both given) and `corpus`.
 */
export async function readCorpus(checkpoint: Checkpoint, choice: CorpusChoice, signal: AbortSignal): Promise<Corpus> {
  const { vocabularySize, maxPositions } = checkpoint.config;
  if ((choice.tokens === undefined) === (choice.corpus === undefined))
    throw usageError('one-corpus', 'Give either --tokens or --corpus.');
  if (choice.tokens !== undefined) {
    const source = choice.tokens;
    const domains = [...parseTokenFile(await readBytes(source))].map(([name, sequences]) => ({
      name,
      source,
      sequences,
    }));
    return corpusFromTokens(domains, vocabularySize);
  }
  if ((choice.sequenceLength ?? 0) > maxPositions) {
    throw usageError('sequence-too-long', `--sequence-length is at most ${maxPositions} for this model.`);
  }
  const { tokenizer, chatTemplate } = await loadModelTokenizer(checkpoint.folder, signal);
  return buildCorpus(await readDomains(choice.corpus ?? []), {
    tokenizer,
    chatTemplate,
    sequenceLength: choice.sequenceLength ?? Math.min(DEFAULT_SEQUENCE_LENGTH, maxPositions),
    maxTokensPerDomain: choice.maxTokens,
    vocabularySize,
    signal,
  });
}
