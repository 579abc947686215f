import { StudioError } from '../base/errors.ts';
import type { CheckpointSummary } from '../checkpoint/summary.ts';
import type { CalibrationStatistics } from '../saliency/statistics-file.ts';

/**
 * Refuses statistics that are not of this checkpoint, or do not hold all of its layers with experts.
 *
 * @throws StudioError calibration/other-model, calibration/incomplete-layers.
 */
export function checkStatisticsFit({ model, layers }: CalibrationStatistics, summary: CheckpointSummary): void {
  if (model.fingerprint !== summary.fingerprint) {
    throw new StudioError(
      'calibration',
      'other-model',
      `These statistics were measured on another model ("${model.source}", not "${summary.label}").`,
      { nextStep: 'Open the model that they were measured on, or calibrate this one.' },
    );
  }
  const missing = summary.moeLayers.filter(
    ({ layer, experts, topK }) =>
      !layers.some((found) => found.layer === layer && found.experts === experts && found.topK === topK),
  );
  const [first] = missing;
  if (first === undefined && layers.length === summary.moeLayers.length) return;
  throw new StudioError(
    'calibration',
    'incomplete-layers',
    first === undefined
      ? `These statistics hold ${layers.length} layers, and the model has ${summary.moeLayers.length} with experts.`
      : `These statistics lack ${missing.length} of the model's ${summary.moeLayers.length} layers with experts, the first of them layer ${first.layer}.`,
    {
      nextStep:
        'Unite the statistics of all layers first: reap-studio merge A.stats.json B.stats.json --out ALL.stats.json.',
      details: { missing: missing.length, layers: layers.length },
    },
  );
}
