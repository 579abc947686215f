import type { SaliencyMetric } from './metric.ts';

/** Σ g·‖y‖₂: what `reap` is before the division, so frequent experts gain. */
export const weightedEanSum: SaliencyMetric = {
  id: 'weighted-ean-sum',
  label: 'Weighted activation norm, sum',
  description: 'Sum over the tokens routed to an expert of its gate times the norm of its output.',
  formula: 'Σ g·‖y‖',
  reads: ['gateNormSum'],
  score({ gateNormSum }) {
    return gateNormSum.slice();
  },
};
