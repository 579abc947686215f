import type { SaliencyMetric } from './metric.ts';

/** Expert activation norm, summed: Σ ‖y‖₂ over the tokens routed to the expert. */
export const eanSum: SaliencyMetric = {
  id: 'ean-sum',
  label: 'Activation norm, sum',
  description: "Sum of the norms of an expert's outputs, gates left out.",
  formula: 'Σ ‖y‖',
  reads: ['normSum'],
  score({ normSum }) {
    return normSum.slice();
  },
};
