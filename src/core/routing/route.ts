import { StudioError } from '../base/errors.ts';
import { GroupLimit } from './group-limit.ts';
import { chooseLargest, requireFinite } from './largest.ts';
import type { RouteInput, Router, Routing } from './router.ts';
import { routeSparsemixer } from './sparsemixer.ts';

/** Ascending indices of the logits that take part; identity experts always do. */
function takingPart({ experts, identityExperts }: Router, dropped: RouteInput['dropped']): Int32Array {
  const indices: number[] = [];
  for (let expert = 0; expert < experts + identityExperts; expert++) {
    const out = dropped instanceof Uint8Array ? (dropped[expert] ?? 0) !== 0 : dropped?.has(expert) === true;
    if (!out || expert >= experts) indices.push(expert);
  }
  return Int32Array.from(indices);
}

function requireTopK(available: number, topK: number): void {
  if (topK >= 1 && available >= topK) return;
  throw new StudioError(
    'plan',
    'fewer-than-top-k',
    `Each token needs ${topK} experts, but only ${available} are left.`,
    {
      nextStep: `Keep at least ${topK} experts in every layer: choose a smaller compression ratio.`,
      details: { topK, available },
    },
  );
}

/**
 * Routes tokens as the model does, or as it would without the dropped experts: those take no part in the softmax, in group
 * scores or in the choice, and those that are left close ranks, so that groups are contiguous among them.
 *
 * Scores are softmax(z) or σ(z) over all that take part; the choice is by score + correction bias, within the best groups
 * where there are groups; the gates are the scores of the chosen, renormalised and scaled as the router says (spec: D.2).
 *
 * @returns selected and gates, [T×K]; computed in f64, gates rounded to f32 once at the end. Among equal scores the
 * lower index comes first.
 * @throws StudioError calibration/non-finite-logits naming token and expert; the layer is for the caller to add.
 * @throws StudioError plan/fewer-than-top-k, plan/uneven-groups, plan/groups-too-small where too few experts are left.
 * @throws RangeError when the sizes contradict each other.
 */
export function route(router: Router, input: RouteInput): Routing {
  const { tokens, logits, correctionBias } = input;
  const width = router.experts + router.identityExperts;
  if (logits.length !== tokens * width) {
    throw new RangeError(`${logits.length} logits are not ${tokens} tokens × ${width} experts`);
  }
  if (correctionBias !== undefined && correctionBias.length !== width) {
    throw new RangeError(`a correction bias of ${correctionBias.length} entries is not one of ${width} experts`);
  }
  const taking = takingPart(router, input.dropped);
  requireTopK(taking.length, router.topK);
  return router.scoring === 'sparsemixer'
    ? routeSparsemixer(router, logits, tokens, taking)
    : routeScored(router, input, taking);
}

function routeScored(router: Router, { logits, tokens, correctionBias }: RouteInput, taking: Int32Array): Routing {
  const { topK, scoring } = router;
  const width = router.experts + router.identityExperts;
  const count = taking.length;
  const groups = router.groups === undefined ? undefined : new GroupLimit(router.groups, count, topK);
  // Softmax and σ rise with the logit: without bias and groups the choice needs no scores at all.
  const byLogit = correctionBias === undefined && groups === undefined;
  const selected = new Int32Array(tokens * topK);
  const gates = new Float32Array(tokens * topK);
  const scores = new Float64Array(count);
  const ranked = byLogit ? scores : new Float64Array(count);
  const places = new Int32Array(topK);
  const best = new Float64Array(topK);
  for (let token = 0; token < tokens; token++) {
    const row = token * width;
    const out = token * topK;
    requireFinite(logits, row, width, token);
    let largest = Number.NEGATIVE_INFINITY;
    for (let at = 0; at < count; at++) {
      const logit = logits[row + (taking[at] ?? 0)] ?? 0;
      scores[at] = logit;
      if (logit > largest) largest = logit;
    }
    let total = 1;
    if (!byLogit) {
      total = scoreRow(scores, scoring, largest);
      for (let at = 0; at < count; at++) {
        ranked[at] = (scores[at] ?? 0) + (correctionBias?.[taking[at] ?? 0] ?? 0);
      }
      groups?.apply(ranked);
    }
    chooseLargest(ranked, best, places);
    if (byLogit) total = gateTotal(router, scores, places, largest);
    writeGates(router, byLogit, scores, places, largest, total, gates, out);
    for (let rank = 0; rank < topK; rank++) selected[out + rank] = taking[places[rank] ?? 0] ?? 0;
  }
  return { selected, gates };
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** Turns logits into scores in place; softmax is left undivided. @returns what the scores are to be divided by: 1 then. */
function scoreRow(scores: Float64Array, scoring: Router['scoring'], largest: number): number {
  if (scoring === 'sigmoid') {
    for (let at = 0; at < scores.length; at++) scores[at] = sigmoid(scores[at] ?? 0);
    return 1;
  }
  let total = 0;
  for (let at = 0; at < scores.length; at++) {
    const power = Math.exp((scores[at] ?? 0) - largest);
    scores[at] = power;
    total += power;
  }
  for (let at = 0; at < scores.length; at++) scores[at] = (scores[at] ?? 0) / total;
  return 1;
}

/** The softmax's denominator where the choice was by logits; it cancels when the gates are renormalised. */
function gateTotal(router: Router, logits: Float64Array, places: Int32Array, largest: number): number {
  if (router.scoring === 'sigmoid') return 1;
  let total = 0;
  if (router.renormalise && router.sumEpsilon === 0 && router.sumFloor === 0) {
    for (const place of places) total += Math.exp((logits[place] ?? 0) - largest);
  } else {
    for (let at = 0; at < logits.length; at++) total += Math.exp((logits[at] ?? 0) - largest);
  }
  return total;
}

function writeGates(
  router: Router,
  areLogits: boolean,
  values: Float64Array,
  places: Int32Array,
  largest: number,
  total: number,
  gates: Float32Array,
  out: number,
): void {
  const scoreAt = (place: number): number => {
    const value = values[place] ?? 0;
    if (!areLogits) return value;
    return router.scoring === 'sigmoid' ? sigmoid(value) : Math.exp(value - largest) / total;
  };
  let divisor = 1;
  if (router.renormalise) {
    let sum = 0;
    for (const place of places) sum += scoreAt(place);
    divisor = Math.max(sum + router.sumEpsilon, router.sumFloor);
  }
  for (let rank = 0; rank < places.length; rank++) {
    gates[out + rank] = (scoreAt(places[rank] ?? 0) / divisor) * router.scale;
  }
}
