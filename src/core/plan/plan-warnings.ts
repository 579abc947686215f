import type { MoeLayerSummary } from '../checkpoint/summary.ts';
import { dropCount } from './constraints.ts';
import type { LayerPlan } from './pruning-plan.ts';
import { friendlyNeighbours } from './runtime-counts.ts';

/** Something the person should know about a plan that was made nevertheless. */
export interface PlanWarning {
  readonly code: 'fewer-dropped' | 'forced-out-kept' | 'uneven-layers' | 'snapped-to-groups' | 'unusual-count';
  readonly message: string;
}

/** The kernels of `unusualCount` serve large models; the counts of small ones are never known to them. */
const LARGE_MODEL = 64;

/** Protected experts left `layer` only `room` to drop, which brought the counts of all layers down. */
export function fewerDropped(
  layer: number,
  room: number,
  wanted: readonly number[],
  counts: readonly number[],
): PlanWarning {
  return {
    code: 'fewer-dropped',
    message:
      `Layer ${layer} has only ${room} experts that may go, the others are protected: ` +
      `every layer now drops ${span(counts)} in place of ${span(wanted)}, so that all layers keep alike.`,
  };
}

/** Experts forced out of a layer for which its count left no place. */
export function forcedOutKept(layer: number, kept: number, dropped: number): PlanWarning {
  return {
    code: 'forced-out-kept',
    message: `${kept} of the experts forced out of layer ${layer} stay: at this ratio only ${dropped} go. Raise the ratio to drop them all.`,
  };
}

/** At most one warning: layers that keep different counts. */
export function unevenLayers(plans: readonly LayerPlan[]): PlanWarning[] {
  const kept = plans.map((plan) => plan.keep.length);
  if (new Set(kept).size < 2) return [];
  return [
    {
      code: 'uneven-layers',
      message: `Layers keep ${span(kept)} experts: config.json has one count for all layers, so this plan is for study and cannot be exported.`,
    },
  ];
}

/** At most one warning: the ratio asked for more than the groups can lose alike. `counts` are what goes. */
export function snappedToGroups(
  layers: readonly MoeLayerSummary[],
  counts: readonly number[],
  ratio: number,
): PlanWarning[] {
  const row = layers.findIndex(({ experts }, at) => dropCount(experts, ratio) !== counts[at]);
  const layer = layers[row];
  if (layer?.groups === undefined) return [];
  return [
    {
      code: 'snapped-to-groups',
      message: `The router chooses among ${layer.groups.count} groups, which must stay of one size: ${counts[row]} experts go in place of ${dropCount(layer.experts, ratio)}.`,
    },
  ];
}

/** At most one warning: a count that an inference kernel may not know, with the nearest that it does. */
export function unusualCount(layers: readonly MoeLayerSummary[], plans: readonly LayerPlan[]): PlanWarning[] {
  const row = plans.findIndex(({ drop }) => drop.length > 0);
  const layer = layers[row];
  const keep = plans[row]?.keep.length;
  if (layer === undefined || keep === undefined || layer.experts < LARGE_MODEL) return [];
  const nearby = friendlyNeighbours(layer, keep);
  if (nearby.length === 0) return [];
  return [
    {
      code: 'unusual-count',
      message: `${keep} experts a layer is a count that some inference kernels do not know; ${nearby.join(' or ')} would run everywhere.`,
    },
  ];
}

function span(counts: readonly number[]): string {
  const least = Math.min(...counts);
  const most = Math.max(...counts);
  return least === most ? `${least}` : `${least} to ${most}`;
}
