import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { StudioError } from '../core/base/errors.ts';
import type { ByteSource } from '../core/bytes/byte-source.ts';
import type { Checkpoint } from '../core/checkpoint/checkpoint.ts';
import { buildCorpus, type Corpus, corpusFromTokens, type TextDomain } from '../core/corpus/corpus.ts';
import { type DatasetSpec, parseDatasets } from '../core/corpus/dataset-spec.ts';
import { loadModelTokenizer } from '../core/corpus/model-tokenizer.ts';
import { datasetLabel, resolveDataset } from '../core/corpus/open-dataset.ts';
import { type DomainFiles, openDomain, type TextFinding } from '../core/corpus/open-domain.ts';
import { parseTokenFile } from '../core/corpus/packing.ts';
import { HubFolder } from '../core/hub/hub-folder.ts';
import { countOption, usageError } from './arguments.ts';
import type { CliIo } from './cli-io.ts';
import { NodeFileSource } from './node-file-source.ts';
import { hubSettings, NODE_ACCESS } from './open-model.ts';

/** The options of every command that reads text or tokens. */
export const CORPUS_OPTIONS = {
  tokens: { type: 'string' },
  corpus: { type: 'string', multiple: true },
  'corpus-column': { type: 'string', multiple: true },
  'max-tokens': { type: 'string' },
  'sequence-length': { type: 'string' },
} as const;

interface CorpusOptionValues {
  readonly tokens?: string | undefined;
  readonly corpus?: string[] | undefined;
  readonly 'corpus-column'?: string[] | undefined;
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
  const columns = new Map((values['corpus-column'] ?? []).map(columnOption));
  return { tokens, corpus, columns, maxTokens, sequenceLength };
}

/** "name=messages" → domain and column. */
function columnOption(value: string): [string, string] {
  const at = value.lastIndexOf('=');
  if (at > 0 && at < value.length - 1) return [value.slice(0, at), value.slice(at + 1)];
  throw usageError('bad-column', `--corpus-column takes NAME=COLUMN, such as python=text, not "${value}".`);
}

export interface CorpusChoice {
  readonly tokens?: string | undefined;
  /** FILE, FILE:name or hf:org/name[subset](split):N,…; files of one name make one domain. */
  readonly corpus?: readonly string[] | undefined;
  /** Domain → column of its files, or several of one exchange joined by "+". */
  readonly columns: ReadonlyMap<string, string>;
  readonly maxTokens?: number | undefined;
  readonly sequenceLength?: number | undefined;
}

const DEFAULT_SEQUENCE_LENGTH = 2048;

function unreadable(path: string, cause: unknown): StudioError {
  return new StudioError('corpus', 'unreadable', `"${path}" cannot be read.`, {
    nextStep: 'Check the path and that you may read the file.',
    details: { file: path },
    cause,
  });
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function openFile(path: string): Promise<ByteSource> {
  try {
    return await NodeFileSource.open(path);
  } catch (cause) {
    throw unreadable(path, cause);
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

/** Files of a domain, and what `--corpus-column` may call it. */
interface ListedDomain extends DomainFiles {
  readonly aliases: readonly string[];
}

async function datasetFiles(spec: DatasetSpec, signal: AbortSignal): Promise<ListedDomain> {
  const found = await resolveDataset(spec, hubSettings(), NODE_ACCESS, signal);
  const folder = new HubFolder(found.hub, found.files, NODE_ACCESS);
  return {
    name: found.name,
    aliases: [found.name, spec.name],
    source: datasetLabel(folder, found),
    files: found.files.map(
      ({ name }) =>
        () =>
          folder.open(name, signal),
    ),
    samples: spec.samples,
  };
}

/** The domains that `--corpus` names, in the order given; files of one name together. */
async function listDomains(specs: readonly string[], signal: AbortSignal): Promise<ListedDomain[]> {
  const domains = new Map<string, ListedDomain>();
  for (const spec of specs) {
    if (/^hf:/i.test(spec)) {
      for (const dataset of parseDatasets(spec)) {
        const files = await datasetFiles(dataset, signal);
        if (domains.has(files.name)) throw usageError('twice', `--corpus names "${files.name}" twice.`);
        domains.set(files.name, files);
      }
      continue;
    }
    const { path, name } = splitSpec(spec);
    const known = domains.get(name);
    domains.set(name, {
      name,
      aliases: [name],
      source: known === undefined ? path : `${known.source}, ${path}`,
      files: [...(known?.files ?? []), () => openFile(path)],
    });
  }
  return [...domains.values()];
}

/** One line about a file before its text is used: which column, how many rows, and how conversations become text. */
function findingLine({ domain, file, column, isDetected, holds, rows }: TextFinding, hasTemplate: boolean): string {
  const parts = [column === null ? 'plain text' : `column ${column} (${isDetected ? 'detected' : 'as asked'})`];
  if (rows !== null && column !== null) parts.push(`${rows} ${rows === 1 ? 'row' : 'rows'}`);
  if (holds === 'chat') parts.push(hasTemplate ? "by the model's chat template" : 'the model has no chat template');
  return `${domain}: ${file}, ${parts.join(', ')}\n`;
}

/**
 * The corpus that `--tokens` or `--corpus` names. What is found in each file is told on stderr before it is used.
 * @throws StudioError families `usage` (neither or both given), `corpus`, and `source` for the hub.
 */
export async function readCorpus(
  checkpoint: Checkpoint,
  choice: CorpusChoice,
  { signal, stderr }: Pick<CliIo, 'signal' | 'stderr'>,
): Promise<Corpus> {
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
  const listed = await listDomains(choice.corpus ?? [], signal);
  const stray = [...choice.columns.keys()].find((name) => !listed.some(({ aliases }) => aliases.includes(name)));
  if (stray !== undefined) {
    throw usageError('unknown-domain', `--corpus-column names "${stray}", but no --corpus bears that name.`);
  }
  const { tokenizer, chatTemplate } = await loadModelTokenizer(checkpoint.folder, signal);
  const domains: TextDomain[] = [];
  for (const domain of listed) {
    const tell = (finding: TextFinding) => stderr(findingLine(finding, chatTemplate !== undefined));
    const alias = domain.aliases.find((name) => choice.columns.has(name)) ?? domain.name;
    domains.push(await openDomain({ ...domain, column: choice.columns.get(alias) }, tell, signal));
  }
  return buildCorpus(domains, {
    tokenizer,
    chatTemplate,
    sequenceLength: choice.sequenceLength ?? Math.min(DEFAULT_SEQUENCE_LENGTH, maxPositions),
    maxTokensPerDomain: choice.maxTokens,
    vocabularySize,
    signal,
  });
}
