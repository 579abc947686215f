import { route } from './route.ts';
import type { Routing } from './router.ts';

/** Smallest gate that the reference lets through: the f32 machine epsilon. */
const FLOOR = 2 ** -23;

/** The first `experts` of each token's `width` logits. */
function withoutIdentity(logits: Float32Array, tokens: number, experts: number, width: number): Float32Array {
  const own = new Float32Array(tokens * experts);
  for (let token = 0; token < tokens; token++) {
    own.set(logits.subarray(token * width, token * width + experts), token * experts);
  }
  return own;
}

/**
 * Gates of gate mode `reference`: the K largest raw logits are chosen, and their softmax over all experts is divided by
 * its sum over the chosen and clamped below, whatever scoring, bias, group limit or scale the model itself applies.
 * Source: CerebrasResearch/reap at 1970473, observer with renormalised router weights.
 *
 * @param logits [T, E + identity] row-major, raw router outputs; identity experts' are left out.
 * @throws as `route`.
 */
export function referenceGates(
  logits: Float32Array,
  tokens: number,
  experts: number,
  topK: number,
  identityExperts = 0,
): Routing {
  const own = identityExperts === 0 ? logits : withoutIdentity(logits, tokens, experts, experts + identityExperts);
  const routing = route(
    {
      scoring: 'softmax',
      topK,
      experts,
      identityExperts: 0,
      groups: undefined,
      renormalise: true,
      sumEpsilon: 0,
      sumFloor: 0,
      scale: 1,
      jitter: 0,
    },
    { logits: own, tokens },
  );
  for (let index = 0; index < routing.gates.length; index++) {
    if ((routing.gates[index] ?? 0) < FLOOR) routing.gates[index] = FLOOR;
  }
  return routing;
}
