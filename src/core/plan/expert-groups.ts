import { StudioError } from '../base/errors.ts';
import type { MoeLayerSummary } from '../checkpoint/summary.ts';

/** What the counts of a layer depend on. */
export type GroupedLayer = Pick<MoeLayerSummary, 'layer' | 'experts' | 'topK' | 'groups'>;

/**
 * Fewest experts that a layer can keep: K, or with groups as many as let a token find K in the groups that it may choose from and
 * let the router score each group (spec: B.1).
 */
export function leastKept({ topK, groups }: GroupedLayer): number {
  if (groups === undefined) return topK;
  return groups.count * Math.max(groups.least, Math.ceil(topK / groups.chosen));
}

/** Counts of experts that a layer can keep, falling from all of them. */
export function possibleKeepCounts(layer: GroupedLayer): number[] {
  const step = layer.groups?.count ?? 1;
  const counts: number[] = [];
  for (let keep = layer.experts; keep >= leastKept(layer); keep -= step) counts.push(keep);
  return counts;
}

/** The refusal of a count that cannot be taken alike from every group, with the counts nearest to it that can. */
export function unevenGroups(layer: GroupedLayer, keep: number): StudioError {
  const possible = possibleKeepCounts(layer);
  const above = possible.findLast((count) => count >= keep);
  const below = possible.find((count) => count < keep);
  const nearest = [below, above].filter((count) => count !== undefined).join(' or ');
  const groups = layer.groups?.count ?? 1;
  return new StudioError(
    'plan',
    'uneven-groups',
    `The router of layer ${layer.layer} chooses among ${groups} groups of experts, so each group must lose as many: ${keep} of ${layer.experts} cannot stay.`,
    {
      nextStep: `Keep ${nearest} experts in every layer, or another multiple of ${groups}.`,
      details: { layer: layer.layer, groups, keep },
    },
  );
}

/**
 * Refuses a keep list that leaves a grouped router groups of unlike or too small size: the experts that stay close ranks,
 * and would move between groups.
 * @throws StudioError plan/uneven-groups, plan/groups-too-small naming the layer.
 */
export function checkGroups(layer: GroupedLayer, keep: readonly number[]): void {
  const { groups } = layer;
  if (groups === undefined) return;
  const size = layer.experts / groups.count;
  const kept = new Array<number>(groups.count).fill(0);
  for (const expert of keep) kept[Math.floor(expert / size)] = (kept[Math.floor(expert / size)] ?? 0) + 1;
  if (new Set(kept).size > 1) {
    throw new StudioError(
      'plan',
      'uneven-groups',
      `The plan keeps ${kept.join(', ')} experts in the groups of layer ${layer.layer}, but its router needs groups of one size.`,
      {
        nextStep: 'Make the plan again: the studio takes as many experts from every group.',
        details: { layer: layer.layer, groups: groups.count },
      },
    );
  }
  if (keep.length >= leastKept(layer)) return;
  throw new StudioError(
    'plan',
    'groups-too-small',
    `The plan keeps ${keep.length} experts in layer ${layer.layer}, but its router needs ${leastKept(layer)} in ${groups.count} groups.`,
    {
      nextStep: `Make the plan again with ${leastKept(layer)} experts or more in every layer.`,
      details: { layer: layer.layer, groups: groups.count, keep: keep.length },
    },
  );
}
