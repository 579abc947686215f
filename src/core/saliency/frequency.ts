import type { SaliencyMetric } from './metric.ts';

/** N: tokens routed to the expert. */
export const frequency: SaliencyMetric = {
  id: 'frequency',
  label: 'Frequency',
  description: 'How many tokens are routed to an expert.',
  formula: 'N',
  reads: ['count'],
  score({ count }) {
    return count.slice();
  },
};
