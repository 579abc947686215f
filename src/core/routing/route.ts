import { StudioError } from '../base/errors.ts';
import { routeByLogit } from './largest-logits.ts';
import { routeByScore } from './largest-scores.ts';
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
 * @throws StudioError calibration/non-finite-logits naming token and expert; the layer is for the caller to add;
 * calibration/nan-correction-bias naming the expert.
 * @throws StudioError plan/fewer-than-top-k, plan/uneven-groups, plan/groups-too-small where too few experts are left.
 * @throws StudioError checkpoint/unsupported-router for a sparsemixer with what it does not have.
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
  if (router.scoring === 'sparsemixer') return routeSparsemixer(router, input, taking);
  const byLogit = correctionBias === undefined && router.groups === undefined;
  return byLogit ? routeByLogit(router, input, taking) : routeByScore(router, input, taking);
}
