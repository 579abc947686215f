import { Registry } from '../base/registry.ts';
import { eanMean } from './ean-mean.ts';
import { eanSum } from './ean-sum.ts';
import { frequency } from './frequency.ts';
import { maxActivation } from './max-activation.ts';
import type { SaliencyMetric } from './metric.ts';
import { reap } from './reap.ts';
import { weightedEanSum } from './weighted-ean-sum.ts';
import { weightedFrequency } from './weighted-frequency.ts';

/** Every metric, in the order of the "Metric" combobox. */
export const saliencyMetrics = new Registry<SaliencyMetric>([
  reap,
  frequency,
  weightedFrequency,
  eanSum,
  eanMean,
  weightedEanSum,
  maxActivation,
]);

export const defaultMetric: SaliencyMetric = reap;
