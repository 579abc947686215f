import type { Router } from './router.ts';

/** A router of the softmax family for tests. */
export function softmaxRouterOf(experts: number, topK: number, renormalise: boolean): Router {
  return {
    scoring: 'softmax',
    topK,
    experts,
    identityExperts: 0,
    groups: undefined,
    renormalise,
    sumEpsilon: 0,
    sumFloor: 0,
    scale: 1,
    jitter: 0,
  };
}
