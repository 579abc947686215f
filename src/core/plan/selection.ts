import { StudioError } from '../base/errors.ts';
import type { MoeLayerSummary } from '../checkpoint/summary.ts';
import type { LayerScores } from '../saliency/saliency-matrix.ts';
import type { ModelIdentity } from '../saliency/statistics-file.ts';
import { checkExpertsToKeep, checkRatio, dropCountOf, ratioOfDrop } from './constraints.ts';
import { chooseByGroups } from './group-choice.ts';
import {
  fewerDropped,
  forcedOutKept,
  type PlanWarning,
  snappedToGroups,
  unevenLayers,
  unusualCount,
} from './plan-warnings.ts';
import type { LayerPlan, PruningPlan } from './pruning-plan.ts';

/** Experts by layer: the model's own layer index → expert indices. */
export type ExpertSets = ReadonlyMap<number, ReadonlySet<number>>;

/** What the person decides besides the ratio. */
export interface SelectionConstraints {
  /** Never dropped. */
  readonly pinned?: ExpertSets;
  /** Dropped before any other, whatever they score and even where they are super experts. */
  readonly forcedOut?: ExpertSets;
  /** Never dropped unless forced out: see saliency/super-experts.ts. */
  readonly superExperts?: ExpertSets;
  /** Layers that keep all their experts. */
  readonly excludedLayers?: ReadonlySet<number>;
}

/** How much goes: a ratio in [0, 0.9], or the experts that stay in every layer. */
export type SelectionSize = { readonly ratio: number } | { readonly expertsToKeep: number };

export interface SelectionInput {
  readonly model: ModelIdentity;
  /** Every layer with experts, ascending. */
  readonly layers: readonly MoeLayerSummary[];
  /** One row for every layer, in any order. */
  readonly scores: readonly LayerScores[];
  /** Id of the metric that gave the scores. */
  readonly metric: string;
  readonly size: SelectionSize;
  readonly constraints?: SelectionConstraints;
  readonly calibration: PruningPlan['calibration'];
  /** What becomes of layers that predict further tokens; pruned like the last layer when absent. */
  readonly nextToken?: PruningPlan['nextToken'];
}

export interface Selection {
  readonly plan: PruningPlan;
  readonly warnings: readonly PlanWarning[];
}

/**
 * Makes a uniform plan: floor(E × ratio) of the least salient experts go from every layer, in double arithmetic; equal
 * scores keep the lower index. Routers that choose among groups lose as many from each group, at the next lower count that
 * this allows. Where protected experts leave a layer too little room, the count falls for all layers.
 * Pure and fast enough for every move of the slider.
 *
 * @throws StudioError of family plan: ratio-out-of-range, experts-out-of-range, fewer-than-top-k, uneven-groups, missing-layers,
 *   wrong-expert-count, non-finite-score, unknown-expert, contradicting-constraints.
 */
export function selectExperts(input: SelectionInput): Selection {
  const { layers, size } = input;
  const constraints = input.constraints ?? {};
  if ('ratio' in size) checkRatio(layers, size.ratio);
  else checkExpertsToKeep(layers, size.expertsToKeep);
  checkConstraints(layers, constraints);

  const warnings: PlanWarning[] = [];
  const scores = scoresByLayer(layers, input.scores);
  const wanted = layers.map((layer) =>
    'ratio' in size ? dropCountOf(layer, size.ratio) : layer.experts - size.expertsToKeep,
  );
  if ('ratio' in size) warnings.push(...snappedToGroups(layers, wanted, size.ratio));
  const counts = fitToProtected(layers, wanted, constraints, warnings);

  const plans = layers.map((layer, row): LayerPlan => {
    const excluded = constraints.excludedLayers?.has(layer.layer) === true;
    const choice = chooseByGroups(
      layer.groups?.count ?? 1,
      scores.get(layer.layer) ?? new Float64Array(layer.experts),
      excluded ? 0 : (counts[row] ?? 0),
      {
        pinned: constraints.pinned?.get(layer.layer),
        forcedOut: constraints.forcedOut?.get(layer.layer),
        superExperts: constraints.superExperts?.get(layer.layer),
      },
    );
    if (choice.forcedOutKept > 0) warnings.push(forcedOutKept(layer.layer, choice.forcedOutKept, choice.drop.length));
    return {
      layer: layer.layer,
      experts: layer.experts,
      keep: choice.keep,
      drop: choice.drop,
      scores: choice.scores,
      reasons: choice.reasons,
    };
  });
  warnings.push(...unevenLayers(plans), ...unusualCount(layers, plans));

  const first = layers[0];
  return {
    plan: {
      model: input.model,
      metric: input.metric,
      policy: 'uniform',
      ratio:
        'ratio' in size
          ? size.ratio
          : first === undefined
            ? 0
            : ratioOfDrop(first.experts, first.experts - size.expertsToKeep),
      calibration: input.calibration,
      nextToken: input.nextToken ?? 'prune',
      layers: plans,
    },
    warnings,
  };
}

/**
 * The drop counts after protection. The layer with the least room, relative to its size, decides for all; layers of
 * equal size then lose the same number.
 */
function fitToProtected(
  layers: readonly MoeLayerSummary[],
  wanted: readonly number[],
  constraints: SelectionConstraints,
  warnings: PlanWarning[],
): readonly number[] {
  let tightest: { layer: number; room: number; experts: number } | undefined;
  for (const [row, { layer, experts }] of layers.entries()) {
    if (constraints.excludedLayers?.has(layer)) continue;
    const room = roomOf(layers[row] ?? { layer, experts }, constraints);
    if (room >= (wanted[row] ?? 0)) continue;
    // room + 1 of E would be one too many: the least such fraction bounds the ratio of every layer from above.
    if (tightest === undefined || (room + 1) * tightest.experts < (tightest.room + 1) * experts) {
      tightest = { layer, room, experts };
    }
  }
  if (tightest === undefined) return wanted;
  const { layer, room, experts: size } = tightest;
  const counts = wanted.map((count, row) => {
    const fitting = Math.min(count, Math.ceil(((room + 1) * (layers[row]?.experts ?? 0)) / size) - 1);
    const step = layers[row]?.groups?.count ?? 1;
    return Math.floor(fitting / step) * step;
  });
  warnings.push(fewerDropped(layer, room, wanted, counts));
  return counts;
}

/** Experts of a layer that may go: with groups, as many from each as the fullest of protected ones can lose. */
function roomOf(
  { layer, experts, groups }: Pick<MoeLayerSummary, 'layer' | 'experts' | 'groups'>,
  constraints: SelectionConstraints,
): number {
  const count = groups?.count ?? 1;
  const size = experts / count;
  const rooms = Array.from({ length: count }, (_, group) => {
    const own = (expert: number): boolean => Math.floor(expert / size) === group;
    return size - protectedCount(layer, constraints, own);
  });
  return Math.min(...rooms) * count;
}

function protectedCount(
  layer: number,
  { pinned, superExperts, forcedOut }: SelectionConstraints,
  counts: (expert: number) => boolean,
): number {
  const pins = pinned?.get(layer);
  let count = [...(pins ?? [])].filter(counts).length;
  for (const expert of superExperts?.get(layer) ?? []) {
    if (counts(expert) && !pins?.has(expert) && !forcedOut?.get(layer)?.has(expert)) count++;
  }
  return count;
}

function scoresByLayer(
  layers: readonly MoeLayerSummary[],
  rows: readonly LayerScores[],
): ReadonlyMap<number, Float64Array> {
  const scores = new Map(rows.map((row) => [row.layer, row.scores]));
  const missing = layers.filter(({ layer }) => !scores.has(layer)).map(({ layer }) => layer);
  if (missing.length > 0) {
    throw new StudioError('plan', 'missing-layers', `The statistics hold nothing about layers ${missing.join(', ')}.`, {
      nextStep: 'Let the calibration finish, or merge the statistics of all layers, then plan again.',
      details: { missing: missing.length },
    });
  }
  for (const { layer, experts } of layers) {
    const found = scores.get(layer);
    if (found === undefined) continue;
    if (found.length !== experts) {
      throw new StudioError(
        'plan',
        'wrong-expert-count',
        `The statistics hold ${found.length} experts of layer ${layer}; the model has ${experts} there.`,
        { nextStep: 'Choose the statistics of this model, or calibrate it again.', details: { layer, experts } },
      );
    }
    const stray = found.findIndex((score) => !Number.isFinite(score));
    if (stray < 0) continue;
    throw new StudioError('plan', 'non-finite-score', `Expert ${stray} of layer ${layer} has no finite score.`, {
      nextStep: 'Calibrate again on another backend, or choose another metric.',
      details: { layer, expert: stray },
    });
  }
  return scores;
}

function checkConstraints(layers: readonly MoeLayerSummary[], constraints: SelectionConstraints): void {
  const sizes = new Map(layers.map(({ layer, experts }) => [layer, experts]));
  const { pinned, forcedOut, superExperts, excludedLayers } = constraints;
  for (const layer of excludedLayers ?? []) {
    if (!sizes.has(layer)) throw unknownExpert(layer, null);
  }
  for (const sets of [pinned, forcedOut, superExperts]) {
    for (const [layer, experts] of sets ?? []) {
      const size = sizes.get(layer);
      if (size === undefined) throw unknownExpert(layer, null);
      for (const expert of experts) {
        if (!Number.isInteger(expert) || expert < 0 || expert >= size) throw unknownExpert(layer, expert);
      }
    }
  }
  for (const [layer, experts] of pinned ?? []) {
    for (const expert of experts) {
      if (!forcedOut?.get(layer)?.has(expert)) continue;
      throw new StudioError(
        'plan',
        'contradicting-constraints',
        `Expert ${expert} of layer ${layer} is both pinned and forced out.`,
        { nextStep: 'Take one of the two back.', details: { layer, expert } },
      );
    }
  }
}

function unknownExpert(layer: number, expert: number | null): StudioError {
  const thing = expert === null ? `layer ${layer} with experts` : `expert ${expert} in layer ${layer}`;
  return new StudioError('plan', 'unknown-expert', `The model has no ${thing}.`, {
    nextStep: "Name a layer by the model's own index and an expert from 0; `inspect` lists both.",
    details: expert === null ? { layer } : { layer, expert },
  });
}
