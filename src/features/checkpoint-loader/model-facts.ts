import type { CheckpointSummary } from '../../core/checkpoint/summary.ts';
import type { Fact } from '../../ui/Facts.tsx';
import { formatBytes, formatCount, formatWhole } from '../../ui/number-format.ts';

/** The figures of the model card. */
export function modelFacts(summary: CheckpointSummary): readonly Fact[] {
  const { layers, moeLayers, experts, topK, totalParameters, totalBytes, shards, bytesByDtype } = summary;
  return [
    ['Layers', moeLayers.length === layers ? formatWhole(layers) : `${layers}, ${moeLayers.length} with experts`],
    ['Experts a layer', `${formatWhole(experts)}, top-${topK}`],
    ['Parameters', formatCount(totalParameters)],
    ['On disk', `${formatBytes(totalBytes)} in ${formatWhole(shards)} ${shards === 1 ? 'file' : 'files'}`],
    ['Data type', bytesByDtype.map(([dtype]) => dtype).join(', ')],
  ];
}
