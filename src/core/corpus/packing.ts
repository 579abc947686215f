import { StudioError } from '../base/errors.ts';

export interface PackingOptions {
  /** Ids that the model runs on in one window; a window holds one more, the last prediction target. */
  readonly sequenceLength: number;
  /** Put after every document, the last one too; left out where the tokenizer has no end-of-text token. */
  readonly separatorId?: number | undefined;
  /** Upper bound of ids that the model runs on, over all windows: whole windows only, one shortened one below that. */
  readonly maxTokens?: number | undefined;
}

/**
 * Concatenates documents, the separator after each, and cuts windows of sequenceLength + 1 ids that do not overlap, so
 * the last id of a window is predicted but never fed. What is left at the end is dropped, except where there is no
 * full window: then it is the only one, when it holds at least two ids. Documents beyond maxTokens are not needed.
 */
export class WindowPacker {
  readonly #separator: Int32Array;
  readonly #length: number;
  readonly #maxWindows: number;
  readonly #windows: Int32Array[] = [];
  #window: Int32Array;
  #filled = 0;

  /** @throws RangeError when sequenceLength or maxTokens is not a positive integer */
  constructor({ sequenceLength, separatorId, maxTokens }: PackingOptions) {
    requirePositiveInteger('sequenceLength', sequenceLength);
    if (maxTokens !== undefined) requirePositiveInteger('maxTokens', maxTokens);
    this.#length = Math.min(sequenceLength, maxTokens ?? sequenceLength) + 1;
    this.#maxWindows =
      maxTokens === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(maxTokens / sequenceLength));
    this.#separator = separatorId === undefined ? new Int32Array(0) : Int32Array.of(separatorId);
    this.#window = new Int32Array(this.#length);
  }

  /**
   * @param document token ids [n]
   * @returns true when no further document is needed
   */
  add(document: Int32Array): boolean {
    for (const ids of [document, this.#separator]) {
      for (let from = 0; from < ids.length && !this.#isFull; ) {
        const taken = Math.min(this.#length - this.#filled, ids.length - from);
        this.#window.set(ids.subarray(from, from + taken), this.#filled);
        this.#filled += taken;
        from += taken;
        if (this.#filled < this.#length) continue;
        this.#windows.push(this.#window);
        this.#window = new Int32Array(this.#length);
        this.#filled = 0;
      }
    }
    return this.#isFull;
  }

  /** Windows [sequenceLength + 1] of int32 ids; none when there are fewer than two ids. */
  finish(): Int32Array[] {
    if (this.#windows.length > 0 || this.#filled < 2) return this.#windows;
    return [this.#window.slice(0, this.#filled)];
  }

  get #isFull(): boolean {
    return this.#windows.length >= this.#maxWindows;
  }
}

function requirePositiveInteger(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) throw new RangeError(`${name} must be a positive integer, not ${value}`);
}

/** The name of the only domain of a token file that names none. */
export const DEFAULT_DOMAIN = 'default';

const MAX_ID = 2 ** 31 - 1;

/**
 * Reads a file of ready token ids: `[[ids], …]` for one domain, or `{"domain": [[ids], …], …}`.
 *
 * @param bytes UTF-8 JSON
 * @returns domain name → sequences of int32 ids, in the file's order
 * @throws StudioError corpus/bad-token-file naming domain and sequence; corpus/empty-text when there is no id at all
 */
export function parseTokenFile(bytes: Uint8Array): Map<string, Int32Array[]> {
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw badTokenFile('The token file is not valid JSON.', {}, cause);
  }
  const named: [string, unknown][] = Array.isArray(content)
    ? [[DEFAULT_DOMAIN, content]]
    : typeof content === 'object' && content !== null
      ? Object.entries(content)
      : [];
  if (named.length === 0) {
    if (typeof content !== 'object' || content === null) {
      throw badTokenFile('The token file holds neither a list nor an object.', {});
    }
    throw emptyTokens('The token file holds no domain.', {});
  }
  const domains = new Map<string, Int32Array[]>();
  for (const [domain, sequences] of named) domains.set(domain, parseSequences(domain, sequences));
  return domains;
}

function parseSequences(domain: string, sequences: unknown): Int32Array[] {
  if (!Array.isArray(sequences)) {
    throw badTokenFile(`Domain "${domain}" of the token file is not a list of sequences.`, { domain });
  }
  if (sequences.length === 0) throw emptyTokens(`Domain "${domain}" of the token file has no sequence.`, { domain });
  return sequences.map((ids: unknown, sequence) => {
    const place = `Sequence ${sequence} of domain "${domain}"`;
    if (!Array.isArray(ids)) throw badTokenFile(`${place} is not a list of token ids.`, { domain, sequence });
    if (ids.length === 0) throw emptyTokens(`${place} is empty.`, { domain, sequence });
    return Int32Array.from(ids, (id: unknown, position) => {
      if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= MAX_ID) return id;
      const found = JSON.stringify(id)?.slice(0, 40);
      throw badTokenFile(`${place} has ${found} at position ${position}, which is not a token id.`, {
        domain,
        sequence,
        position,
      });
    });
  });
}

const TOKEN_FILE_SHAPE = 'Write [[1, 2, …], …] or {"domain": [[1, 2, …], …]}, each id an integer from 0.';

function badTokenFile(message: string, details: Record<string, string | number>, cause?: unknown): StudioError {
  return new StudioError('corpus', 'bad-token-file', message, { nextStep: TOKEN_FILE_SHAPE, details, cause });
}

function emptyTokens(message: string, details: Record<string, string | number>): StudioError {
  return new StudioError('corpus', 'empty-text', message, { nextStep: TOKEN_FILE_SHAPE, details });
}
