import { meanOver } from './mean-over.ts';
import type { SaliencyMetric } from './metric.ts';

/** Source: REAP (arXiv 2510.13999): S = (1/N) Σ g·‖y‖₂ over the tokens routed to the expert, and no others. */
export const reap: SaliencyMetric = {
  id: 'reap',
  label: 'REAP',
  description: 'Mean over the tokens routed to an expert of its gate times the norm of its output.',
  formula: 'Σ g·‖y‖ / N',
  reads: ['gateNormSum', 'count'],
  score({ gateNormSum, count }) {
    return meanOver(gateNormSum, count);
  },
};
