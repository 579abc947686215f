import type { RouterSpec } from '../descriptor.ts';
import { fixed } from '../settings.ts';

/** Softmax over all experts, the K largest; renormalised or not as the row says. */
export const softmaxRouter: RouterSpec = {
  scoring: 'softmax',
  correctionBias: false,
  groups: null,
  renormalise: true,
  sumEpsilon: 0,
  sumFloor: fixed(0),
  scale: fixed(1),
  gateOn: 'output',
  identityExperts: fixed(0),
  jitter: fixed(0),
};

/** The family of DeepSeek-V3: sigmoid scores, a bias and groups for the choice, renormalised and scaled. */
export const groupedSigmoidRouter: RouterSpec = {
  ...softmaxRouter,
  scoring: 'sigmoid',
  correctionBias: true,
  groups: {
    count: { key: ['n_group'], fallback: 1 },
    chosen: { key: ['topk_group'], fallback: 1 },
    score: 'two-largest',
    when: null,
  },
  renormalise: { key: ['norm_topk_prob'], fallback: true },
  sumEpsilon: 1e-20,
  scale: { key: ['routed_scaling_factor'], fallback: 1 },
};
