import { StudioError } from '../base/errors.ts';
import type { Checkpoint, CheckpointTensor } from '../checkpoint/checkpoint.ts';
import { tensorName } from '../checkpoint/tensor-roles.ts';
import type { PruningPlan } from '../plan/pruning-plan.ts';
import type { Dtype } from '../safetensors/dtype.ts';
import { appendRange, type SourceRange } from './planned-shard.ts';

/** A tensor of the pruned checkpoint and the source bytes that it is made of. */
export interface OutputTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** The tensor of the source that it comes from, whole or in rows. */
  readonly sourceName: string;
  readonly sourceFile: string;
  /** In the order of the output's bytes; neighbouring rows are one range. */
  readonly ranges: readonly SourceRange[];
}

/** Per layer: the kept experts, ascending original indices, and each one's new index. */
interface KeptExperts {
  readonly keep: readonly number[];
  readonly newIndex: ReadonlyMap<number, number>;
}

function wholeTensor(tensor: CheckpointTensor, name: string): OutputTensor {
  const ranges: SourceRange[] = [];
  appendRange(ranges, { file: tensor.file, offset: tensor.offset, length: tensor.byteLength });
  return {
    name,
    dtype: tensor.dtype,
    shape: tensor.shape,
    byteLength: tensor.byteLength,
    sourceName: tensor.name,
    sourceFile: tensor.file,
    ranges,
  };
}

/** Rows `keep` of a tensor [E, …], in order. Rows are whole bytes for every dtype that a router is stored in. */
function gatherRows(tensor: CheckpointTensor, keep: readonly number[], experts: number): OutputTensor {
  const rowBytes = tensor.byteLength / experts;
  if (tensor.shape[0] !== experts || !Number.isInteger(rowBytes)) {
    throw new StudioError(
      'export',
      'router-shape',
      `The router tensor "${tensor.name}" [${tensor.shape.join(', ')}] cannot be cut into ${experts} rows.`,
      {
        nextStep: 'Check that config.json belongs to these weights, then open the model again.',
        details: { tensor: tensor.name, experts },
      },
    );
  }
  const ranges: SourceRange[] = [];
  for (const row of keep)
    appendRange(ranges, { file: tensor.file, offset: tensor.offset + row * rowBytes, length: rowBytes });
  const shape = [keep.length, ...tensor.shape.slice(1)];
  return {
    name: tensor.name,
    dtype: tensor.dtype,
    shape,
    byteLength: keep.length * rowBytes,
    sourceName: tensor.name,
    sourceFile: tensor.file,
    ranges,
  };
}

/** The expert tensor's name with its new index; scales and biases keep their ending. */
function renamed(
  checkpoint: Checkpoint,
  tensor: CheckpointTensor,
  role: Extract<CheckpointTensor['role'], { kind: 'expert' }>,
  index: number,
): string {
  const pattern = checkpoint.architecture.tensors.experts[role.projection];
  return (
    tensorName(pattern, role.layer, index) + tensor.name.slice(tensorName(pattern, role.layer, role.expert).length)
  );
}

/**
 * What becomes of each tensor of the checkpoint: experts that are not kept are left out, kept ones get their new index,
 * routers [E, hidden] keep the rows of the kept experts, everything else stays. The result follows the checkpoint's
 * order. The plan must fit the checkpoint.
 * @throws StudioError family `export` code `router-shape`.
 */
export function outputTensors(checkpoint: Checkpoint, plan: PruningPlan): Map<string, OutputTensor[]> {
  const kept = new Map<number, KeptExperts>(
    plan.layers.map(({ layer, keep }) => [
      layer,
      { keep, newIndex: new Map(keep.map((expert, index) => [expert, index])) },
    ]),
  );
  const byFile = new Map<string, OutputTensor[]>(checkpoint.shards.map((shard) => [shard.file, []]));
  for (const tensor of checkpoint.tensors.values()) {
    const { role } = tensor;
    const layer = role.kind === 'expert' || role.kind === 'router' ? kept.get(role.layer) : undefined;
    let output: OutputTensor | undefined;
    if (layer === undefined) output = wholeTensor(tensor, tensor.name);
    else if (role.kind === 'router') output = gatherRows(tensor, layer.keep, checkpoint.config.experts);
    else if (role.kind === 'expert') {
      const index = layer.newIndex.get(role.expert);
      if (index !== undefined) output = wholeTensor(tensor, renamed(checkpoint, tensor, role, index));
    }
    if (output !== undefined) byFile.get(tensor.file)?.push(output);
  }
  return byFile;
}
