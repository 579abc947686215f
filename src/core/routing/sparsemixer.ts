import { requireFinite } from './largest.ts';
import type { Router, Routing } from './router.ts';

/** Place of the largest logit among those not taken, the lower first among equals. */
function largestPlace(values: Float64Array, taken: number): number {
  let best = -1;
  for (let at = 0; at < values.length; at++) {
    if (at !== taken && (best < 0 || (values[at] ?? 0) > (values[best] ?? 0))) best = at;
  }
  return best;
}

/** softmax at `place` over the logits near enough to it, without the one taken. */
function gateAt(values: Float64Array, place: number, taken: number, threshold: number): number {
  const largest = values[place] ?? 0;
  let total = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? 0;
    const far = (largest - value) / Math.max(Math.abs(value), largest) > threshold;
    if (at !== taken && !far) total += Math.exp(value - largest);
  }
  return 1 / total;
}

/**
 * The router of Phi-3.5-MoE at inference: the best expert, then the best of the rest, each weighted by a softmax over the logits
 * within 2·jitter of it; the two gates are not renormalised (spec: D.2; arXiv 2409.12136).
 * @throws RangeError for any K but 2; as `route`.
 */
export function routeSparsemixer(router: Router, logits: Float32Array, tokens: number, taking: Int32Array): Routing {
  if (router.topK !== 2) throw new RangeError(`sparsemixer chooses 2 experts, not ${router.topK}`);
  const threshold = 2 * router.jitter;
  const selected = new Int32Array(tokens * 2);
  const gates = new Float32Array(tokens * 2);
  const values = new Float64Array(taking.length);
  for (let token = 0; token < tokens; token++) {
    const row = token * router.experts;
    requireFinite(logits, row, router.experts, token);
    for (let at = 0; at < taking.length; at++) values[at] = logits[row + (taking[at] ?? 0)] ?? 0;
    const first = largestPlace(values, -1);
    const second = largestPlace(values, first);
    selected[2 * token] = taking[first] ?? 0;
    selected[2 * token + 1] = taking[second] ?? 0;
    gates[2 * token] = gateAt(values, first, -1, threshold);
    gates[2 * token + 1] = gateAt(values, second, first, threshold);
  }
  return { selected, gates };
}
