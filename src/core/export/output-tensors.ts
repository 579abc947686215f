import { StudioError } from '../base/errors.ts';
import type { Checkpoint, CheckpointTensor } from '../checkpoint/checkpoint.ts';
import type { PruningPlan } from '../plan/pruning-plan.ts';
import type { Dtype } from '../safetensors/dtype.ts';
import { type KeepOf, keptExperts, renumbered } from './kept-experts.ts';
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

/** Router tensors of GPTQ and AWQ, whose experts lie along the last axis and share words, and shapes written as data. */
const UNCUTTABLE: ReadonlySet<string> = new Set(['qweight', 'qzeros', 'g_idx', 'weight_shape']);

/**
 * Entries `indices` of a tensor along an axis before which all others have length 1, in order. A scale of the whole
 * tensor stays as it is.
 */
function gather(
  tensor: CheckpointTensor,
  { expertAxis: axis, suffix }: { readonly expertAxis: number; readonly suffix: string },
  indices: readonly number[],
  length: number,
): OutputTensor {
  const elements = tensor.shape.reduce((product, size) => product * size, 1);
  if (elements === 1 && length > 1) return wholeTensor(tensor, tensor.name);
  const entryBytes = tensor.byteLength / length;
  const outer = tensor.shape.slice(0, axis).every((size) => size === 1);
  if (tensor.shape[axis] !== length || !outer || !Number.isInteger(entryBytes) || UNCUTTABLE.has(suffix)) {
    throw new StudioError(
      'export',
      'uncuttable-tensor',
      `The tensor "${tensor.name}" [${tensor.shape.join(', ')}] cannot be cut into ${length} experts.`,
      {
        nextStep:
          'Check that config.json belongs to these weights; of a quantised model open one whose router is not quantised.',
        details: { tensor: tensor.name, experts: length },
      },
    );
  }
  const ranges: SourceRange[] = [];
  for (const index of indices)
    appendRange(ranges, { file: tensor.file, offset: tensor.offset + index * entryBytes, length: entryBytes });
  return {
    name: tensor.name,
    dtype: tensor.dtype,
    shape: tensor.shape.with(axis, indices.length),
    byteLength: indices.length * entryBytes,
    sourceName: tensor.name,
    sourceFile: tensor.file,
    ranges,
  };
}

/** What becomes of one tensor; undefined: it is left out. */
function outputOf(
  checkpoint: Checkpoint,
  plan: PruningPlan,
  tensor: CheckpointTensor,
  keepOf: KeepOf,
): OutputTensor | undefined {
  const { role } = tensor;
  if (role.nextToken && plan.nextToken === 'drop') return undefined;
  const keep = keepOf(role);
  if (keep === undefined) return wholeTensor(tensor, tensor.name);
  const { experts, router } = checkpoint.config;
  switch (role.kind) {
    case 'expert': {
      // Weights that some savers write for experts which return their input follow the others.
      const index = role.expert < experts ? keep.indexOf(role.expert) : keep.length + role.expert - experts;
      return index < 0 ? undefined : wholeTensor(tensor, renumbered(tensor.name, role.expertSpan, index));
    }
    case 'fused-experts':
      return gather(tensor, role, keep, experts);
    case 'router': {
      // Experts that return their input have rows after the others', and all of them stay.
      const identity = Array.from({ length: router.identityExperts }, (_, index) => experts + index);
      return gather(tensor, role, [...keep, ...identity], experts + identity.length);
    }
    default:
      return wholeTensor(tensor, tensor.name);
  }
}

/**
 * What becomes of each tensor of the checkpoint: experts that are not kept are left out, kept ones get their new index,
 * fused experts and routers keep the entries of the kept experts, everything else stays; layers that predict further
 * tokens follow the last MoE layer, or are left out where the plan says so. The result follows the checkpoint's order.
 * The plan must fit the checkpoint.
 * @throws StudioError family `export` code `uncuttable-tensor`.
 */
export function outputTensors(checkpoint: Checkpoint, plan: PruningPlan): Map<string, OutputTensor[]> {
  const keepOf = keptExperts(plan);
  const byFile = new Map<string, OutputTensor[]>(checkpoint.shards.map((shard) => [shard.file, []]));
  for (const tensor of checkpoint.tensors.values()) {
    const output = outputOf(checkpoint, plan, tensor, keepOf);
    if (output !== undefined) byFile.get(tensor.file)?.push(output);
  }
  return byFile;
}
