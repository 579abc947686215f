import type { SaliencyMetric } from './metric.ts';

/** max |y[h]| over the tokens routed to the expert and all hidden units, absolute where the reference takes the signed maximum. */
export const maxActivation: SaliencyMetric = {
  id: 'max-activation',
  label: 'Largest activation',
  description: 'Largest absolute value that an expert ever put out.',
  formula: 'max |y|',
  reads: ['maxAbs'],
  score({ maxAbs }) {
    return maxAbs.slice();
  },
};
