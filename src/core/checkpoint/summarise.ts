import type { Checkpoint, CheckpointTensor } from './checkpoint.ts';
import type { CheckpointSummary, MoeLayerSummary } from './summary.ts';

function parametersOf(tensor: CheckpointTensor): number {
  const { role } = tensor;
  const counted = !('suffix' in role) || role.suffix === 'weight' || role.suffix === 'bias';
  return counted && role.kind !== 'ignored' ? tensor.shape.reduce((product, size) => product * size, 1) : 0;
}

/** What pruning one expert takes away from each layer. Sizes are those of expert 0: check-tensors made all alike. */
function moeLayerSummaries(checkpoint: Checkpoint): MoeLayerSummary[] {
  const { experts, topK } = checkpoint.config;
  const sums = new Map(
    checkpoint.moeLayers.map((layer) => [
      layer,
      { expertParameters: 0, expertBytes: 0, routerParameters: 0, routerBytes: 0 },
    ]),
  );
  for (const tensor of checkpoint.tensors.values()) {
    const { role } = tensor;
    if (role.kind !== 'expert' && role.kind !== 'router') continue;
    const sum = sums.get(role.layer);
    if (sum === undefined) continue;
    if (role.kind === 'router') {
      sum.routerParameters += parametersOf(tensor);
      sum.routerBytes += tensor.byteLength;
    } else if (role.expert === 0) {
      sum.expertParameters += parametersOf(tensor);
      sum.expertBytes += tensor.byteLength;
    }
  }
  return [...sums].map(([layer, sum]) => ({
    layer,
    experts,
    topK,
    expertParameters: sum.expertParameters,
    expertBytes: sum.expertBytes,
    routerParametersPerExpert: sum.routerParameters / experts,
    routerBytesPerExpert: sum.routerBytes / experts,
  }));
}

/** The facts of an open checkpoint as plain data. Bytes are tensor bytes, without headers and companion files. */
export function summariseCheckpoint(checkpoint: Checkpoint): CheckpointSummary {
  const { config, architecture } = checkpoint;
  const byDtype = new Map<string, number>();
  let totalBytes = 0;
  let totalParameters = 0;
  for (const tensor of checkpoint.tensors.values()) {
    byDtype.set(tensor.dtype, (byDtype.get(tensor.dtype) ?? 0) + tensor.byteLength);
    totalBytes += tensor.byteLength;
    totalParameters += parametersOf(tensor);
  }
  return {
    label: checkpoint.folder.label,
    architecture: architecture.id,
    architectureLabel: architecture.label,
    fingerprint: checkpoint.fingerprint,
    layers: config.layers,
    hiddenSize: config.hiddenSize,
    vocabularySize: config.vocabularySize,
    maxPositions: config.maxPositions,
    experts: config.experts,
    topK: config.topK,
    expertWidth: config.expertWidth,
    totalParameters,
    totalBytes,
    tensors: checkpoint.tensors.size,
    shards: checkpoint.shards.length,
    bytesByDtype: [...byDtype].sort((a, b) => b[1] - a[1]),
    moeLayers: moeLayerSummaries(checkpoint),
    hasTokenizer: checkpoint.companionFiles.includes('tokenizer.json'),
  };
}
