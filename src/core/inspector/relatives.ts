import type { Architecture } from '../architectures/descriptor.ts';
import { roleClassifier } from '../checkpoint/tensor-roles.ts';
import { descriptorLines } from './descriptor-lines.ts';
import type { Notebook } from './notebook.ts';
import type { TensorModules } from './tensor-modules.ts';

/** A row is worth naming from this share of equal tensor names on. */
const NEAR = 0.75;

interface Relative {
  readonly row: Architecture;
  readonly shared: number;
  readonly share: number;
}

/** How many of the checkpoint's kinds of tensors a row has a name for. */
function likeness(row: Architecture, modules: TensorModules, layers: number): Relative {
  const roleOf = roleClassifier(row, layers);
  const named = modules.groups.filter(({ parts }) => {
    const [tensor] = parts.values();
    const role = tensor === undefined ? undefined : roleOf(tensor.name, tensor.shape);
    return role !== undefined && role.kind !== 'ignored';
  });
  return { row, shared: named.length, share: named.length / Math.max(1, modules.groups.length) };
}

/**
 * Tells, at every line that nothing in the files shows, what the nearest known family has there. Likeness of names is no
 * proof: the line stays uncertain.
 */
export function noteRelatives(
  descriptor: Architecture,
  rows: readonly Architecture[],
  modules: TensorModules,
  layers: number,
  notes: Notebook,
): void {
  const [nearest] = rows.map((row) => likeness(row, modules, layers)).sort((a, b) => b.share - a.share);
  if (nearest === undefined || nearest.share < NEAR) return;
  const { row, shared } = nearest;
  const theirs = new Map(descriptorLines(row).map(({ field, value }) => [field, value]));
  for (const { field } of descriptorLines(descriptor)) {
    if (notes.covering(field)?.confidence !== 'uncertain' || !theirs.has(field)) continue;
    notes.support(field, {
      kind: 'relative',
      text: `${row.label}, which names ${shared} of the ${modules.groups.length} kinds of tensors here, has ${JSON.stringify(theirs.get(field))}`,
    });
  }
}
