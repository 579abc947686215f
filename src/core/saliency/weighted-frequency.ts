import type { SaliencyMetric } from './metric.ts';

/** Σ g over the tokens routed to the expert (the reference's weighted_expert_frequency_sum). */
export const weightedFrequency: SaliencyMetric = {
  id: 'weighted-frequency',
  label: 'Weighted frequency',
  description: 'Sum of the gates that the router gives an expert.',
  formula: 'Σ g',
  reads: ['gateSum'],
  score({ gateSum }) {
    return gateSum.slice();
  },
};
