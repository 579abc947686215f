import { createSHA256 } from 'hash-wasm';
import { throwIfAborted } from '../base/abort.ts';
import { StudioError } from '../base/errors.ts';
import type { ChatTemplate } from './chat-template.ts';
import type { CorpusDocument } from './corpus-document.ts';
import { WindowPacker } from './packing.ts';
import { checkVocabulary, type TextTokenizer } from './tokenizer.ts';

/** Token sequences of one domain, with where they come from. */
export interface CorpusDomain {
  readonly name: string;
  /** What calibration runs, int32 ids [n] each: packed windows without their last id, or a token file's sequences. */
  readonly sequences: readonly Int32Array[];
  /**
   * What evaluation runs: every id but the first of a window is predicted. Packed windows whole (one id more than the
   * sequence, sharing its memory), or a token file's sequences.
   */
  readonly windows: readonly Int32Array[];
  /** Ids in `sequences`, together. */
  readonly tokens: number;
  /** sha256 hex over `sequences`, each as its length and its ids, little-endian 32-bit. */
  readonly hash: string;
  /** File name, dataset or "typed text", for people. */
  readonly source: string;
}

/** What a model is calibrated or evaluated on; domains in the order given, names unique. */
export interface Corpus {
  readonly domains: readonly CorpusDomain[];
}

/** Documents of one domain before they are tokenised. */
export interface TextDomain {
  readonly name: string;
  readonly source: string;
  /** Read only as far as the token limit needs them. */
  readonly documents: Iterable<CorpusDocument> | AsyncIterable<CorpusDocument>;
}

/** Ready token ids of one domain. */
export interface TokenDomain {
  readonly name: string;
  readonly source: string;
  readonly sequences: readonly Int32Array[];
}

export interface CorpusOptions {
  readonly tokenizer: TextTokenizer;
  /** For documents that are chats; left out where the model has no template. */
  readonly chatTemplate?: ChatTemplate | undefined;
  /** Ids of one sequence that the model runs on. */
  readonly sequenceLength: number;
  /** Upper bound of ids for each domain. */
  readonly maxTokensPerDomain?: number | undefined;
  /** Rows of the model's embedding: `vocab_size` of config.json. */
  readonly vocabularySize: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Tokenises and packs text. Bare text gets the tokenizer's own special tokens, a chat only those of its template; the
 * end-of-text token follows every document.
 *
 * @throws StudioError corpus/empty-text, corpus/wrong-tokenizer, corpus/no-chat-template, corpus/bad-chat-template,
 *   corpus/duplicate-domain; the signal's reason when aborted
 */
export async function buildCorpus(domains: readonly TextDomain[], options: CorpusOptions): Promise<Corpus> {
  const { tokenizer, sequenceLength, maxTokensPerDomain, vocabularySize, signal } = options;
  requireDomains(domains);
  const built: CorpusDomain[] = [];
  for (const domain of domains) {
    const packer = new WindowPacker({
      sequenceLength,
      separatorId: tokenizer.eosTokenId,
      maxTokens: maxTokensPerDomain,
    });
    for await (const document of domain.documents) {
      throwIfAborted(signal);
      if (packer.add(tokenise(document, domain, options))) break;
    }
    const windows = packer.finish();
    if (windows.length === 0) {
      throw new StudioError('corpus', 'empty-text', `Domain "${domain.name}" (${domain.source}) has no text.`, {
        nextStep: 'Give it a file with at least a few words.',
        details: { domain: domain.name, source: domain.source },
      });
    }
    for (const window of windows) checkVocabulary(window, vocabularySize);
    const sequences = windows.map((window) => window.subarray(0, window.length - 1));
    built.push(await finishDomain(domain, sequences, windows));
    throwIfAborted(signal);
  }
  return { domains: built };
}

/**
 * Takes ready token ids as they are: each sequence is run whole.
 *
 * @throws StudioError corpus/empty-text, corpus/wrong-tokenizer, corpus/duplicate-domain
 */
export async function corpusFromTokens(domains: readonly TokenDomain[], vocabularySize: number): Promise<Corpus> {
  requireDomains(domains);
  const built: CorpusDomain[] = [];
  for (const domain of domains) {
    for (const sequence of domain.sequences) checkVocabulary(sequence, vocabularySize);
    built.push(await finishDomain(domain, domain.sequences, domain.sequences));
  }
  return { domains: built };
}

function tokenise(
  document: CorpusDocument,
  domain: TextDomain,
  { tokenizer, chatTemplate }: CorpusOptions,
): Int32Array {
  if (document.kind === 'text') return tokenizer.encode(document.text, { addSpecialTokens: true });
  if (chatTemplate !== undefined) return tokenizer.encode(chatTemplate.render(document), { addSpecialTokens: false });
  if (document.plain !== undefined) return tokenizer.encode(document.plain, { addSpecialTokens: true });
  throw new StudioError(
    'corpus',
    'no-chat-template',
    `Domain "${domain.name}" (${domain.source}) holds chats, but the model has no chat template.`,
    {
      nextStep: 'Use text documents, or a model whose tokenizer_config.json or chat_template.jinja has a template.',
      details: { domain: domain.name, source: domain.source },
    },
  );
}

function requireDomains(domains: readonly { readonly name: string }[]): void {
  if (domains.length === 0) {
    throw new StudioError('corpus', 'empty-text', 'No text was given.', {
      nextStep: 'Choose at least one domain or file.',
    });
  }
  const seen = new Set<string>();
  for (const { name } of domains) {
    if (seen.has(name)) {
      throw new StudioError('corpus', 'duplicate-domain', `Two domains are named "${name}".`, {
        nextStep: 'Give each domain a name of its own.',
        details: { domain: name },
      });
    }
    seen.add(name);
  }
}

async function finishDomain(
  { name, source }: { readonly name: string; readonly source: string },
  sequences: readonly Int32Array[],
  windows: readonly Int32Array[],
): Promise<CorpusDomain> {
  const tokens = sequences.reduce((sum, sequence) => sum + sequence.length, 0);
  return { name, source, sequences, windows, tokens, hash: await hashSequences(sequences) };
}

/** sha256 hex over each sequence's length and ids, as little-endian 32-bit: what `hash` of a domain is. */
export async function hashSequences(sequences: readonly Int32Array[]): Promise<string> {
  const hasher = await createSHA256();
  for (const sequence of sequences) {
    // A copy, not a view: the platform's byte order is not the file format's.
    const bytes = new DataView(new ArrayBuffer(4 * (sequence.length + 1)));
    bytes.setUint32(0, sequence.length, true);
    sequence.forEach((id, index) => {
      bytes.setInt32(4 * (index + 1), id, true);
    });
    hasher.update(new Uint8Array(bytes.buffer));
  }
  return hasher.digest('hex');
}
