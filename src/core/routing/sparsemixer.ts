import { StudioError } from '../base/errors.ts';
import type { RouteInput, Router, Routing } from './router.ts';
import { readLogits } from './token-scores.ts';

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
 * The router of Phi-3.5-MoE at inference: the best expert, then the best of the rest, each weighted by a softmax over the
 * logits within 2·jitter of it; the two gates are not renormalised (spec: D.2; arXiv 2409.12136).
 * `taking`: ascending indices of the logits that take part. As `route`.
 * @throws StudioError checkpoint/unsupported-router for any K but 2, and for a correction bias or groups.
 */
export function routeSparsemixer(
  router: Router,
  { logits, tokens, correctionBias }: RouteInput,
  taking: Int32Array,
): Routing {
  if (router.topK !== 2 || router.groups !== undefined || correctionBias !== undefined) {
    throw new StudioError(
      'checkpoint',
      'unsupported-router',
      `A sparsemixer router takes 2 experts a token, without groups or correction bias; this one takes ${router.topK}.`,
      {
        nextStep:
          'Compare config.json with the original repository; if the architecture was proposed, correct its scoring.',
        details: { topK: router.topK },
      },
    );
  }
  const width = router.experts + router.identityExperts;
  const threshold = 2 * router.jitter;
  const selected = new Int32Array(tokens * 2);
  const gates = new Float32Array(tokens * 2);
  const values = new Float64Array(taking.length);
  for (let token = 0; token < tokens; token++) {
    readLogits(logits, token, width, taking, values);
    const first = largestPlace(values, -1);
    const second = largestPlace(values, first);
    selected[2 * token] = taking[first] ?? 0;
    selected[2 * token + 1] = taking[second] ?? 0;
    gates[2 * token] = gateAt(values, first, -1, threshold);
    gates[2 * token + 1] = gateAt(values, second, first, threshold);
  }
  return { selected, gates };
}
