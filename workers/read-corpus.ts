import { StudioError } from '../src/core/base/errors.ts';
import type { Checkpoint } from '../src/core/checkpoint/checkpoint.ts';
import {
  buildCorpus,
  type Corpus,
  type CorpusDomain,
  corpusFromTokens,
  type TextDomain,
} from '../src/core/corpus/corpus.ts';
import { loadModelTokenizer } from '../src/core/corpus/model-tokenizer.ts';
import { openDomain } from '../src/core/corpus/open-domain.ts';
import { parseTokenFile } from '../src/core/corpus/packing.ts';
import type { DomainSpec } from '../src/core/protocol/source-spec.ts';
import { domainFiles } from './read-texts.ts';

export interface CorpusRequest {
  readonly domains: readonly DomainSpec[];
  readonly sequenceLength: number;
  readonly maxTokensPerDomain: number;
}

/** A domain of one `.json` file holds ready token ids: the model's tokenizer is not needed for it. */
function tokenFileOf(domain: DomainSpec): File | undefined {
  const [only, ...more] = domain.texts;
  return only?.kind === 'file' && more.length === 0 && only.file.name.toLowerCase().endsWith('.json')
    ? only.file
    : undefined;
}

async function tokenDomains(name: string, file: File, vocabularySize: number): Promise<readonly CorpusDomain[]> {
  const read = [...parseTokenFile(new Uint8Array(await file.arrayBuffer()))];
  const named = read.map(([domain, sequences]) => ({
    name: read.length === 1 ? name : domain,
    source: file.name,
    sequences,
  }));
  return (await corpusFromTokens(named, vocabularySize)).domains;
}

/** Reads, tokenises and packs what the person chose. @throws StudioError families `corpus` and `calibration`. */
export async function readCorpus(checkpoint: Checkpoint, request: CorpusRequest, signal: AbortSignal): Promise<Corpus> {
  const { maxPositions, vocabularySize } = checkpoint.config;
  const texts = request.domains.filter((domain) => tokenFileOf(domain) === undefined);
  if (texts.length > 0 && request.sequenceLength > maxPositions) {
    throw new StudioError(
      'calibration',
      'sequence-too-long',
      `Sequences of ${request.sequenceLength} tokens were asked for, but the model takes ${maxPositions} at most.`,
      {
        nextStep: `Choose a sequence length of ${maxPositions} or less.`,
        details: { sequenceLength: request.sequenceLength, maxPositions },
      },
    );
  }
  const built = new Map<string, CorpusDomain>();
  if (texts.length > 0 || request.domains.length === 0) {
    const { tokenizer, chatTemplate } = await loadModelTokenizer(checkpoint.folder, signal);
    const { sequenceLength, maxTokensPerDomain } = request;
    const opened: TextDomain[] = [];
    // What is found was shown when the text was chosen.
    for (const domain of texts) opened.push(await openDomain(domainFiles(domain, signal), () => {}, signal));
    const corpus = await buildCorpus(opened, {
      tokenizer,
      chatTemplate,
      sequenceLength,
      maxTokensPerDomain,
      vocabularySize,
      signal,
    });
    for (const domain of corpus.domains) built.set(domain.name, domain);
  }
  const domains: CorpusDomain[] = [];
  for (const domain of request.domains) {
    const file = tokenFileOf(domain);
    const text = built.get(domain.name);
    if (file !== undefined) domains.push(...(await tokenDomains(domain.name, file, vocabularySize)));
    else if (text !== undefined) domains.push(text);
  }
  const names = new Set<string>();
  for (const { name, source } of domains) {
    if (names.has(name)) {
      throw new StudioError('corpus', 'duplicate-domain', `Two texts are named "${name}".`, {
        nextStep: `Remove one of them, or rename the domain in "${source}".`,
        details: { domain: name },
      });
    }
    names.add(name);
  }
  return { domains };
}
