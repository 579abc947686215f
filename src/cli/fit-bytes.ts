import { StudioError } from '../core/base/errors.ts';
import type { CheckpointSummary } from '../core/checkpoint/summary.ts';
import { formatBytes } from '../core/export/format-bytes.ts';
import { possibleKeepCounts } from '../core/plan/expert-groups.ts';
import type { PruningPlan } from '../core/plan/pruning-plan.ts';

/**
 * The largest number of experts a layer, the same for all layers, with which all tensors together take at most
 * `maxBytes` (headers and other files, some kilobytes, are not counted).
 * @throws StudioError family `plan` code `does-not-fit` when even the fewest experts that the router allows are too many.
 */
export function expertsThatFit(
  summary: CheckpointSummary,
  maxBytes: number,
  nextToken: PruningPlan['nextToken'],
): number {
  const further = summary.nextToken ?? { bytes: 0, expertBytes: 0 };
  const stays = nextToken === 'prune';
  const perExpert = summary.moeLayers.reduce(
    (sum, layer) => sum + layer.expertBytes + layer.routerBytesPerExpert,
    stays ? further.expertBytes : 0,
  );
  const total = summary.totalBytes - (stays ? 0 : further.bytes);
  const bytesWith = (experts: number): number => total - perExpert * (summary.experts - experts);
  const [layer] = summary.moeLayers;
  const counts = layer === undefined ? [summary.experts] : possibleKeepCounts(layer);
  const fitting = counts.find((experts) => bytesWith(experts) <= maxBytes);
  if (fitting !== undefined) return fitting;
  const least = counts.at(-1) ?? summary.topK;
  throw new StudioError(
    'plan',
    'does-not-fit',
    `With ${least} experts a layer, the fewest possible, the tensors take ${formatBytes(bytesWith(least))}: more than ${formatBytes(maxBytes)}.`,
    {
      nextStep: `Give --max-bytes ${bytesWith(least)} or more, or quantise the model first.`,
      details: { maxBytes, leastBytes: bytesWith(least) },
    },
  );
}
