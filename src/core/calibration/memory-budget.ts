import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { ModelConfig } from '../checkpoint/model-config.ts';
import type { BackendLimits } from './inference-backend.ts';
import { batchTokens } from './token-blocks.ts';

const MIB = 1024 * 1024;
const FLOAT_BYTES = 4;

/** Parts of what the weights leave: for hidden states that wait, for the present block, its experts' rows, its batch. */
const SHARES = { waiting: 0.25, block: 0.3, rows: 0.25, batch: 0.2 } as const;
/** Rows of a block that lie in memory together: before and after the mixer, normed, read back, one more while handed over. */
const ROWS_OF_A_BLOCK = 5;

export interface MemoryShare {
  readonly limits: BackendLimits;
  /** Hidden states of all tokens wait in memory; otherwise they lie in the journal's files. */
  readonly held: boolean;
}

/** f32 bytes of the weights that lie in memory together: the largest layer's first half, two groups of experts or MLPs. */
function weightBytes(checkpoint: Checkpoint, limits: BackendLimits): number {
  const { hiddenSize, expertWidth, sharedWidth, denseWidth, layers } = checkpoint.config;
  const firstHalf = new Float64Array(layers + 1);
  for (const { role, shape } of checkpoint.tensors.values()) {
    if (role.kind !== 'part' || role.layer === undefined || role.layer >= layers) continue;
    const at = role.layer;
    firstHalf[at] = (firstHalf[at] ?? 0) + shape.reduce((product, size) => product * size, 1) * FLOAT_BYTES;
  }
  const expert = 3 * hiddenSize * expertWidth * FLOAT_BYTES;
  const mlp = 3 * hiddenSize * Math.max(sharedWidth, denseWidth) * FLOAT_BYTES;
  return Math.max(...firstHalf) + 2 * Math.max(expert, mlp, Math.min(limits.groupWeightBytes, MAX_GROUP * expert));
}

/** Experts of one group, at most, that the estimate looks at. */
const MAX_GROUP = 64;

function widestInner({ expertWidth, sharedWidth, denseWidth }: ModelConfig): number {
  return Math.max(expertWidth, sharedWidth, denseWidth);
}

/**
 * Cuts a run's work so that it holds to a budget whatever the model's size: closer limits than the backend's own, and
 * hidden states in files where they would take too much. An estimate from shapes; one sequence and one expert always fit.
 * @param tokens Of all domains together.
 * @param longest Tokens of the longest sequence.
 * @param budget Bytes.
 */
export function shareMemory(
  checkpoint: Checkpoint,
  backendLimits: BackendLimits,
  { tokens, longest, budget }: { readonly tokens: number; readonly longest: number; readonly budget: number },
): MemoryShare {
  const { config } = checkpoint;
  const limits = { ...backendLimits, attentionTokens: batchTokens(config, backendLimits.attentionTokens) };
  const rest = Math.max(budget - weightBytes(checkpoint, limits), budget / 4);
  const rowBytes = config.hiddenSize * FLOAT_BYTES;
  const tokenBytes = ROWS_OF_A_BLOCK * rowBytes + (2 * config.experts + 8 * config.topK) * FLOAT_BYTES;
  const pairBytes = (2 * config.hiddenSize + 3 * widestInner(config)) * FLOAT_BYTES;
  const fitting = (share: number, bytes: number, least: number, most: number): number =>
    Math.max(Math.min(least, most), Math.min(most, Math.floor((share * rest) / bytes)));
  return {
    limits: {
      ...limits,
      scoreBytes: Math.min(limits.scoreBytes, Math.max(MIB, Math.floor((SHARES.batch * rest) / 4))),
      groupRows: fitting(SHARES.rows, pairBytes, 64, limits.groupRows),
      attentionTokens: fitting(SHARES.batch, 8 * rowBytes, longest, limits.attentionTokens),
      blockTokens: fitting(SHARES.block, tokenBytes, longest, limits.blockTokens),
    },
    held: tokens * rowBytes <= SHARES.waiting * rest,
  };
}
