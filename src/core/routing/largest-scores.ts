import { StudioError } from '../base/errors.ts';
import { GroupLimit } from './group-limit.ts';
import type { RouteInput, Router, Routing } from './router.ts';
import { chooseLargest, readLogits, sigmoid, writeGates } from './token-scores.ts';

function softmax(values: Float64Array): void {
  let largest = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < values.length; at++) largest = Math.max(largest, values[at] ?? 0);
  let total = 0;
  for (let at = 0; at < values.length; at++) {
    const power = Math.exp((values[at] ?? 0) - largest);
    values[at] = power;
    total += power;
  }
  for (let at = 0; at < values.length; at++) values[at] = (values[at] ?? 0) / total;
}

/** The bias of the experts that take part. @throws StudioError calibration/nan-correction-bias naming the expert. */
function biasOf(correctionBias: Float32Array | undefined, taking: Int32Array): Float64Array {
  const bias = Float64Array.from(taking, (expert) => correctionBias?.[expert] ?? 0);
  const at = bias.findIndex(Number.isNaN);
  if (at < 0) return bias;
  const expert = taking[at] ?? 0;
  throw new StudioError(
    'calibration',
    'nan-correction-bias',
    `The router's correction bias of expert ${expert} is not a number.`,
    { nextStep: 'Download the shard that holds the bias again, or take another checkpoint.', details: { expert } },
  );
}

/**
 * Routers with a correction bias or groups: the K largest of score + bias within the best groups are chosen, and their
 * scores without the bias are the gates. `taking`: ascending indices of the logits that take part. As `route`.
 * @throws StudioError calibration/nan-correction-bias naming the expert.
 */
export function routeByScore(
  router: Router,
  { logits, tokens, correctionBias }: RouteInput,
  taking: Int32Array,
): Routing {
  const { topK, scoring } = router;
  const width = router.experts + router.identityExperts;
  const count = taking.length;
  const groups = router.groups === undefined ? undefined : new GroupLimit(router.groups, count, topK);
  const bias = biasOf(correctionBias, taking);
  const selected = new Int32Array(tokens * topK);
  const gates = new Float32Array(tokens * topK);
  const scores = new Float64Array(count);
  const ranked = new Float64Array(count);
  const chosen = new Float64Array(topK);
  const places = new Int32Array(topK);
  for (let token = 0; token < tokens; token++) {
    readLogits(logits, token, width, taking, scores);
    if (scoring === 'softmax') softmax(scores);
    else for (let at = 0; at < count; at++) scores[at] = sigmoid(scores[at] ?? 0);
    for (let at = 0; at < count; at++) ranked[at] = (scores[at] ?? 0) + (bias[at] ?? 0);
    groups?.apply(ranked);
    chooseLargest(ranked, chosen, places);
    for (let rank = 0; rank < topK; rank++) {
      const place = places[rank] ?? 0;
      selected[token * topK + rank] = taking[place] ?? 0;
      chosen[rank] = scores[place] ?? 0;
    }
    writeGates(router, chosen, gates, token * topK);
  }
  return { selected, gates };
}
