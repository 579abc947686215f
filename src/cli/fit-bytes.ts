import { StudioError } from '../core/base/errors.ts';
import type { CheckpointSummary } from '../core/checkpoint/summary.ts';
import { formatBytes } from '../core/export/format-bytes.ts';

/**
 * The largest number of experts a layer, the same for all layers, with which all tensors together take at most
 * `maxBytes` (headers and other files, some kilobytes, are not counted).
 * @throws StudioError family `plan` code `does-not-fit` when even top-k experts a layer are too many.
 */
export function expertsThatFit(summary: CheckpointSummary, maxBytes: number): number {
  const perExpert = summary.moeLayers.reduce((sum, layer) => sum + layer.expertBytes + layer.routerBytesPerExpert, 0);
  const withoutExperts = summary.totalBytes - perExpert * summary.experts;
  const experts = Math.min(summary.experts, Math.floor((maxBytes - withoutExperts) / perExpert));
  if (experts >= summary.topK) return experts;
  const least = withoutExperts + perExpert * summary.topK;
  throw new StudioError(
    'plan',
    'does-not-fit',
    `With ${summary.topK} experts a layer, the fewest possible, the tensors take ${formatBytes(least)}: more than ${formatBytes(maxBytes)}.`,
    {
      nextStep: `Give --max-bytes ${least} or more, or quantise the model first.`,
      details: { maxBytes, leastBytes: least },
    },
  );
}
