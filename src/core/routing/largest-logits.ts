import type { RouteInput, Router, Routing } from './router.ts';
import { chooseLargest, readLogits, sigmoid, writeGates } from './token-scores.ts';

/** softmax over `logits` of the ones in `chosen`, in place; up to a factor where the gates are divided by their sum. */
function softmaxChosen(logits: Float64Array, chosen: Float64Array, upToFactor: boolean): void {
  const largest = chosen[0] ?? 0;
  let total = 1;
  if (!upToFactor) {
    total = 0;
    for (let at = 0; at < logits.length; at++) total += Math.exp((logits[at] ?? 0) - largest);
  }
  for (let rank = 0; rank < chosen.length; rank++) chosen[rank] = Math.exp((chosen[rank] ?? 0) - largest) / total;
}

/**
 * Routers without correction bias and groups: softmax and σ rise with the logit, so the K largest logits are chosen and K
 * scores are enough. `taking`: ascending indices of the logits that take part. As `route`.
 */
export function routeByLogit(router: Router, { logits, tokens }: RouteInput, taking: Int32Array): Routing {
  const { topK, scoring } = router;
  const width = router.experts + router.identityExperts;
  // The softmax's denominator cancels in a sum that nothing is added to and that has no floor.
  const upToFactor = router.renormalise && router.sumEpsilon === 0 && router.sumFloor === 0;
  const selected = new Int32Array(tokens * topK);
  const gates = new Float32Array(tokens * topK);
  const own = new Float64Array(taking.length);
  const chosen = new Float64Array(topK);
  const places = new Int32Array(topK);
  for (let token = 0; token < tokens; token++) {
    readLogits(logits, token, width, taking, own);
    chooseLargest(own, chosen, places);
    for (let rank = 0; rank < topK; rank++) selected[token * topK + rank] = taking[places[rank] ?? 0] ?? 0;
    if (scoring === 'softmax') softmaxChosen(own, chosen, upToFactor);
    else for (let rank = 0; rank < topK; rank++) chosen[rank] = sigmoid(chosen[rank] ?? 0);
    writeGates(router, chosen, gates, token * topK);
  }
  return { selected, gates };
}
