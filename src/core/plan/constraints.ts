import { StudioError } from '../base/errors.ts';
import { type GroupedLayer, leastKept, unevenGroups } from './expert-groups.ts';
import type { PruningPlan } from './pruning-plan.ts';

/** Beyond this the slider ends: nine in ten experts gone. */
export const LARGEST_RATIO = 0.9;

/** Experts that a ratio drops from a layer of E: floor(E × ratio) in IEEE double arithmetic, so 100 × 0.29 → 28. */
export function dropCount(experts: number, ratio: number): number {
  return Math.floor(experts * ratio);
}

/** Experts that a ratio drops from a layer: where the router looks at groups, the next count below that all can lose alike. */
export function dropCountOf({ experts, groups }: GroupedLayer, ratio: number): number {
  const step = groups?.count ?? 1;
  return Math.floor(dropCount(experts, ratio) / step) * step;
}

/** The least ratio that drops `drop` of `experts`: drop / experts, a rounding step higher where the product would fall short. */
export function ratioOfDrop(experts: number, drop: number): number {
  const ratio = drop / experts;
  return dropCount(experts, ratio) < drop ? ratio * (1 + Number.EPSILON) : ratio;
}

/** The largest ratio, at most 0.9, that leaves every layer its top-k experts; 0 when nothing may go. */
export function maximumRatio(layers: readonly GroupedLayer[]): number {
  return layers.reduce(
    (least, layer) => Math.min(least, ratioOfDrop(layer.experts, layer.experts - leastKept(layer))),
    LARGEST_RATIO,
  );
}

/**
 * Refuses a compression ratio before any work is done for it.
 *
 * @throws StudioError plan/ratio-out-of-range outside [0, 0.9] or not a number.
 * @throws StudioError plan/fewer-than-top-k naming the layer; its next step names the largest ratio possible.
 * @throws StudioError plan/uneven-groups where the ratio takes less than one expert from each group.
 */
export function checkRatio(layers: readonly GroupedLayer[], ratio: number): void {
  if (!(ratio >= 0 && ratio <= LARGEST_RATIO)) {
    throw new StudioError(
      'plan',
      'ratio-out-of-range',
      `A compression ratio of ${ratio} is outside 0 to ${LARGEST_RATIO}.`,
      {
        nextStep: `Choose a ratio from 0 to ${readableRatio(maximumRatio(layers))}.`,
        details: { ratio },
      },
    );
  }
  for (const layer of layers) {
    const wanted = dropCount(layer.experts, ratio);
    const drop = dropCountOf(layer, ratio);
    if (wanted > 0 && drop === 0) throw unevenGroups(layer, layer.experts - wanted);
    checkKept(layers, layer, layer.experts - drop);
  }
}

/**
 * Refuses a count of experts to keep in every layer.
 *
 * @throws StudioError plan/experts-out-of-range, plan/fewer-than-top-k, plan/uneven-groups.
 */
export function checkExpertsToKeep(layers: readonly GroupedLayer[], keep: number): void {
  for (const layer of layers) {
    if (!Number.isInteger(keep) || keep < 1 || keep > layer.experts) {
      throw new StudioError(
        'plan',
        'experts-out-of-range',
        `Layer ${layer.layer} has ${layer.experts} experts: it cannot keep ${keep}.`,
        {
          nextStep: `Keep a whole number from ${layer.topK} to ${layer.experts} experts a layer.`,
          details: { layer: layer.layer, experts: layer.experts, keep },
        },
      );
    }
    if (layer.groups !== undefined && keep % layer.groups.count !== 0) throw unevenGroups(layer, keep);
    checkKept(layers, layer, keep);
  }
}

function checkKept(layers: readonly GroupedLayer[], layer: GroupedLayer, keep: number): void {
  if (keep >= leastKept(layer)) return;
  const largest = maximumRatio(layers);
  throw new StudioError(
    'plan',
    'fewer-than-top-k',
    layer.groups === undefined
      ? `Layer ${layer.layer} would keep ${keep} of ${layer.experts} experts, but the model sends each token to ${layer.topK}.`
      : `Layer ${layer.layer} would keep ${keep} of ${layer.experts} experts, but its router needs ${leastKept(layer)} in ${layer.groups.count} groups.`,
    {
      nextStep: `Choose a ratio of at most ${readableRatio(largest)}, which keeps ${leastKept(layer)} experts or more in every layer.`,
      details: { layer: layer.layer, keep, topK: layer.topK, maximumRatio: largest },
    },
  );
}

/**
 * Refuses a plan that no loader of today reads: config.json has one expert count for all layers.
 *
 * @throws StudioError plan/uneven-layers naming two layers that differ.
 */
export function checkEvenLayers(plan: PruningPlan): void {
  const first = plan.layers[0];
  const other = plan.layers.find((layer) => layer.keep.length !== first?.keep.length);
  if (first === undefined || other === undefined) return;
  throw new StudioError(
    'plan',
    'uneven-layers',
    `Layer ${first.layer} keeps ${first.keep.length} experts and layer ${other.layer} keeps ${other.keep.length}, ` +
      'but config.json has one expert count for all layers.',
    {
      nextStep: 'Prune all layers alike: take back excluded layers, then make the plan again.',
      details: { layer: first.layer, keep: first.keep.length, otherLayer: other.layer, otherKeep: other.keep.length },
    },
  );
}

/** At most four decimals, rounded up: below 10 000 experts that never drops one more. */
function readableRatio(ratio: number): number {
  return Math.min(LARGEST_RATIO, Math.ceil(ratio * 10_000) / 10_000);
}
