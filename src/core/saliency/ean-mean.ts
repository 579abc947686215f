import { meanOver } from './mean-over.ts';
import type { SaliencyMetric } from './metric.ts';

/** Expert activation norm, averaged: (1/N) Σ ‖y‖₂ over the tokens routed to the expert. */
export const eanMean: SaliencyMetric = {
  id: 'ean-mean',
  label: 'Activation norm, mean',
  description: "Mean norm of an expert's output over the tokens routed to it, gates left out.",
  formula: 'Σ ‖y‖ / N',
  reads: ['normSum', 'count'],
  score({ normSum, count }) {
    return meanOver(normSum, count);
  },
};
