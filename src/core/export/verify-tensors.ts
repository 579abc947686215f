import type { Checkpoint, CheckpointTensor } from '../checkpoint/checkpoint.ts';
import type { PruningPlan } from '../plan/pruning-plan.ts';
import type { ExportLayout } from './export-layout.ts';
import { type KeepOf, keptExperts, renumbered } from './kept-experts.ts';
import type { ExportManifest, ManifestTensor } from './manifest-schema.ts';
import type { ProblemList } from './verify-report.ts';

/** The exported model has as many experts as the plan keeps, in the layers that the plan names. */
export function checkExpertCounts(exported: Checkpoint, plan: PruningPlan, problems: ProblemList): void {
  for (const { layer, keep } of plan.layers) {
    if (!exported.moeLayers.includes(layer))
      problems.add('layer-missing', `Layer ${layer} has no experts, but the plan keeps ${keep.length} there.`);
    else if (keep.length !== exported.config.experts) {
      problems.add(
        'expert-count',
        `config.json says ${exported.config.experts} experts, but the plan keeps ${keep.length} in layer ${layer}.`,
        { file: 'config.json' },
      );
    }
  }
  for (const layer of exported.moeLayers) {
    if (!plan.layers.some((entry) => entry.layer === layer))
      problems.add('layer-extra', `Layer ${layer} has experts, but the plan does not name it.`);
  }
}

/** Name that the tensor must have had in the unpruned model, by the plan. */
function plannedSource({ name, role }: CheckpointTensor, keepOf: KeepOf, experts: number): string {
  if (role.kind !== 'expert') return name;
  const keep = keepOf(role);
  const beyond = role.expert - (keep?.length ?? 0);
  const original = beyond < 0 ? keep?.[role.expert] : experts + beyond;
  return original === undefined ? '' : renumbered(name, role.expertSpan, original);
}

function checkTensor(tensor: CheckpointTensor, entry: ManifestTensor, source: string, problems: ProblemList): void {
  const where = { file: tensor.file, tensor: tensor.name };
  if (entry.file !== tensor.file)
    problems.add(
      'tensor-moved',
      `"${tensor.name}" lies in "${tensor.file}", but the manifest says "${entry.file}".`,
      where,
    );
  if (entry.dtype !== tensor.dtype || entry.shape.join() !== tensor.shape.join()) {
    problems.add(
      'tensor-shape',
      `"${tensor.name}" is ${tensor.dtype} [${tensor.shape.join(', ')}], but the manifest says ${entry.dtype} [${entry.shape.join(', ')}].`,
      where,
    );
  }
  if (entry.source.name !== source) {
    problems.add(
      'wrong-expert',
      `"${tensor.name}" comes from "${entry.source.name}", but by the plan it is "${source}".`,
      where,
    );
  }
}

/** Every tensor of the manifest is there once and no other, each made of the source tensor that the plan says. */
export function checkTensors(
  exported: Checkpoint,
  plan: PruningPlan,
  manifest: ExportManifest,
  problems: ProblemList,
): void {
  const keepOf = keptExperts(plan);
  const entries = new Map<string, ManifestTensor>();
  for (const entry of manifest.tensors) {
    if (entries.has(entry.name))
      problems.add('tensor-twice', `The manifest lists "${entry.name}" twice.`, { tensor: entry.name });
    entries.set(entry.name, entry);
    if (!exported.tensors.has(entry.name)) {
      problems.add('tensor-missing', `The tensor "${entry.name}" is missing from "${entry.file}".`, {
        file: entry.file,
        tensor: entry.name,
      });
    }
  }
  for (const tensor of exported.tensors.values()) {
    const entry = entries.get(tensor.name);
    if (entry === undefined) {
      problems.add(
        'tensor-extra',
        `"${tensor.file}" holds the tensor "${tensor.name}", which the manifest does not list.`,
        { file: tensor.file, tensor: tensor.name },
      );
    } else {
      checkTensor(tensor, entry, plannedSource(tensor, keepOf, plan.layers[0]?.experts ?? 0), problems);
    }
  }
}

/** Each tensor of the manifest is tied to the bytes of the source that it is made of by the source and the plan. */
export function checkSourceRanges(layout: ExportLayout, manifest: ExportManifest, problems: ProblemList): void {
  const placed = new Map(layout.shards.flatMap((shard) => shard.tensors.map((tensor) => [tensor.name, tensor])));
  for (const { name, file, source } of manifest.tensors) {
    const planned = placed.get(name);
    if (planned === undefined) continue;
    const ranges = planned.ranges.map(({ offset, length }) => [offset, length]);
    if (source.file === planned.sourceFile && source.ranges.join() === ranges.join()) continue;
    problems.add(
      'wrong-range',
      `The manifest ties "${name}" to other bytes of "${source.file}" than those that the source and the plan give.`,
      { file, tensor: name },
    );
  }
}
