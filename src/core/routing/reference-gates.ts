import { type Routing, route } from './softmax-top-k.ts';

/** Smallest gate that the reference lets through: the f32 machine epsilon. */
const FLOOR = 2 ** -23;

/**
 * Gates of gate mode `reference`: the K largest raw logits are chosen, and their softmax over all experts is divided by
 * its sum over the chosen and clamped below, whatever scoring, bias, group limit or scale the model itself applies.
 * Source: CerebrasResearch/reap at 1970473, observer with renormalised router weights.
 *
 * @param logits [T, E] row-major, raw router outputs.
 * @throws as `route`.
 */
export function referenceGates(logits: Float32Array, tokens: number, experts: number, topK: number): Routing {
  const routing = route(logits, tokens, experts, topK, { renormalise: true });
  for (let index = 0; index < routing.gates.length; index++) {
    if ((routing.gates[index] ?? 0) < FLOOR) routing.gates[index] = FLOOR;
  }
  return routing;
}
