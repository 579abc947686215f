import { expertGroupsOf } from '../routing/router.ts';
import type { Checkpoint, CheckpointTensor } from './checkpoint.ts';
import type { CheckpointSummary, MoeLayerSummary, NextTokenSummary } from './summary.ts';

/** Packed formats hold several numbers in each element: eight bits and more hold one, FP4 blocks two a byte, integers by their bits. */
function parametersOf(tensor: CheckpointTensor, bits: number): number {
  const { role, dtype } = tensor;
  if (role.kind === 'ignored') return 0;
  const elements = tensor.shape.reduce((product, size) => product * size, 1);
  switch (role.suffix) {
    case '':
    case 'weight':
    case 'bias':
      return elements;
    case 'blocks':
      return dtype === 'U8' ? 2 * elements : elements;
    case 'qweight':
    case 'weight_packed':
      return (elements * 32) / bits;
    default:
      return 0;
  }
}

function nextTokenSummary(checkpoint: Checkpoint): NextTokenSummary | undefined {
  const { experts, router } = checkpoint.config;
  const bits = checkpoint.quantisation?.bits ?? 4;
  const layers = new Set<number>();
  const sum = { parameters: 0, bytes: 0, expertParameters: 0, expertBytes: 0 };
  for (const tensor of checkpoint.tensors.values()) {
    const { role, byteLength } = tensor;
    if (!role.nextToken) continue;
    if ('layer' in role && role.layer !== undefined) layers.add(role.layer);
    const parameters = parametersOf(tensor, bits);
    sum.parameters += parameters;
    sum.bytes += byteLength;
    const share = role.kind === 'router' ? experts + router.identityExperts : experts;
    if (role.kind !== 'expert' && role.kind !== 'router' && role.kind !== 'fused-experts') continue;
    sum.expertParameters += parameters / share;
    sum.expertBytes += byteLength / share;
  }
  return sum.bytes === 0 ? undefined : { layers: layers.size, ...sum };
}

/** What pruning one expert takes away from each layer. Sizes are those of expert 0: check-tensors made all alike. */
function moeLayerSummaries(checkpoint: Checkpoint): MoeLayerSummary[] {
  const { experts, topK, router } = checkpoint.config;
  const groups = expertGroupsOf(router);
  const sums = new Map(
    checkpoint.moeLayers.map((layer) => [
      layer,
      { expertParameters: 0, expertBytes: 0, routerParameters: 0, routerBytes: 0 },
    ]),
  );
  for (const tensor of checkpoint.tensors.values()) {
    const { role } = tensor;
    if (role.nextToken || (role.kind !== 'expert' && role.kind !== 'router' && role.kind !== 'fused-experts')) continue;
    const sum = sums.get(role.layer);
    if (sum === undefined) continue;
    if (role.kind === 'router') {
      sum.routerParameters += parametersOf(tensor, checkpoint.quantisation?.bits ?? 4);
      sum.routerBytes += tensor.byteLength;
    } else if (role.kind === 'fused-experts') {
      sum.expertParameters += parametersOf(tensor, checkpoint.quantisation?.bits ?? 4) / experts;
      sum.expertBytes += tensor.byteLength / experts;
    } else if (role.expert === 0) {
      sum.expertParameters += parametersOf(tensor, checkpoint.quantisation?.bits ?? 4);
      sum.expertBytes += tensor.byteLength;
    }
  }
  return [...sums].map(([layer, sum]) => ({
    layer,
    experts,
    topK,
    expertParameters: sum.expertParameters,
    expertBytes: sum.expertBytes,
    routerParametersPerExpert: sum.routerParameters / (experts + router.identityExperts),
    routerBytesPerExpert: sum.routerBytes / (experts + router.identityExperts),
    ...(groups === undefined ? {} : { groups }),
  }));
}

/** The facts of an open checkpoint as plain data. Bytes are tensor bytes, without headers and companion files. */
export function summariseCheckpoint(checkpoint: Checkpoint): CheckpointSummary {
  const { config, architecture } = checkpoint;
  const nextToken = nextTokenSummary(checkpoint);
  const byDtype = new Map<string, number>();
  let totalBytes = 0;
  let totalParameters = 0;
  for (const tensor of checkpoint.tensors.values()) {
    byDtype.set(tensor.dtype, (byDtype.get(tensor.dtype) ?? 0) + tensor.byteLength);
    totalBytes += tensor.byteLength;
    totalParameters += parametersOf(tensor, checkpoint.quantisation?.bits ?? 4);
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
    ...(nextToken === undefined ? {} : { nextToken }),
    heldAgainst: architecture.heldAgainst,
    hasTokenizer: checkpoint.companionFiles.includes('tokenizer.json'),
  };
}
