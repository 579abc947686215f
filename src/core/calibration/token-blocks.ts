import type { Mixer } from '../checkpoint/mixer-config.ts';
import type { ModelConfig } from '../checkpoint/model-config.ts';

/** Sequences of one length that run through attention together: rows [start, start + count · length) of their block. */
export interface SequenceBatch {
  readonly start: number;
  readonly count: number;
  readonly length: number;
}

/** Tokens whose hidden states are computed together: whole sequences, rows in the order of `batches`. */
export interface TokenBlock {
  readonly tokens: number;
  /** [tokens] token ids. */
  readonly ids: Int32Array<ArrayBuffer>;
  /** [tokens] index of the domain that each token belongs to. */
  readonly domains: Uint16Array<ArrayBuffer>;
  readonly batches: readonly SequenceBatch[];
  /** Index of each sequence of the block in its domain, in the order of its rows. */
  readonly sequences: readonly {
    readonly domain: number;
    readonly index: number;
    readonly start: number;
    readonly length: number;
  }[];
}

interface Placed {
  readonly domain: number;
  readonly index: number;
  readonly ids: Int32Array;
}

function blockOf(placed: readonly Placed[], attentionTokens: number): TokenBlock {
  const tokens = placed.reduce((sum, { ids }) => sum + ids.length, 0);
  const ids = new Int32Array(tokens);
  const domains = new Uint16Array(tokens);
  const batches: { start: number; count: number; length: number }[] = [];
  const sequences: TokenBlock['sequences'][number][] = [];
  let row = 0;
  for (const { domain, index, ids: sequence } of placed) {
    const { length } = sequence;
    ids.set(sequence, row);
    domains.fill(domain, row, row + length);
    sequences.push({ domain, index, start: row, length });
    const open = batches.at(-1);
    if (open !== undefined && open.length === length && (open.count + 1) * length <= attentionTokens) open.count += 1;
    else batches.push({ start: row, count: 1, length });
    row += length;
  }
  return { tokens, ids, domains, batches, sequences };
}

/**
 * Cuts sequences (an array a domain) into blocks of at most `blockTokens` tokens, one sequence at least. Sequences are
 * sorted by length, so that those of one length share attention runs without padding; no statistic depends on it.
 */
export function cutIntoBlocks(
  domains: readonly (readonly Int32Array[])[],
  limits: { readonly blockTokens: number; readonly attentionTokens: number },
): TokenBlock[] {
  const placed = domains.flatMap((sequences, domain) =>
    sequences.map((ids, index): Placed => ({ domain, index, ids })),
  );
  placed.sort((a, b) => b.ids.length - a.ids.length);
  const blocks: TokenBlock[] = [];
  let open: Placed[] = [];
  let tokens = 0;
  for (const sequence of placed) {
    if (open.length > 0 && tokens + sequence.ids.length > limits.blockTokens) {
      blocks.push(blockOf(open, limits.attentionTokens));
      open = [];
      tokens = 0;
    }
    open.push(sequence);
    tokens += sequence.ids.length;
  }
  if (open.length > 0) blocks.push(blockOf(open, limits.attentionTokens));
  return blocks;
}

/** f32 numbers that the widest projection of a batch may have: 128 MB. */
const PROJECTION_NUMBERS = 32 * 1024 * 1024;

/** Tokens of a batch: the backend's own limit, fewer where the model's projections are wide (DeepSeek-V3: 1024). */
export function batchTokens({ layerPlans }: ModelConfig, attentionTokens: number): number {
  const widest = layerPlans.reduce(
    (most, { mixer }) => Math.max(most, mixer === undefined ? 0 : widestProjection(mixer)),
    1,
  );
  return Math.max(1, Math.min(attentionTokens, Math.floor(PROJECTION_NUMBERS / widest)));
}

function widestProjection(mixer: Mixer): number {
  switch (mixer.kind) {
    case 'grouped-query':
      return mixer.heads * mixer.headDim * (mixer.outputGate ? 2 : 1);
    case 'latent':
      return mixer.heads * (mixer.nopeDim + Math.max(mixer.valueDim, mixer.ropeDim));
    case 'gated-delta-net':
      return 2 * (mixer.keyHeads * mixer.keyDim + mixer.valueHeads * mixer.valueDim);
    case 'selective-scan':
      return 2 * mixer.heads * mixer.headDim + 2 * mixer.groups * mixer.state + mixer.heads;
    case 'short-convolution':
      return 1;
  }
}
