import { StudioError } from '../base/errors.ts';
import type { StatisticField } from './layer-statistics.ts';
import type { CalibrationStatistics } from './statistics-file.ts';

const WORDS: Readonly<Record<StatisticField, string>> = {
  count: 'the tokens of each expert',
  normSum: 'the norms of outputs',
  gateSum: 'the gates',
  gateNormSum: 'gates times norms',
  gateNormSquaredSum: 'the squares of gates times norms',
  maxAbs: 'the largest activations',
};

/** A statistic in words, for sentences. */
export function fieldWords(field: StatisticField): string {
  return WORDS[field];
}

/**
 * Refuses to make `what` of statistics that lack one of `fields`; statistics of the studio's own lack none.
 *
 * @throws StudioError calibration/not-measured naming what is missing.
 */
export function checkMeasured(
  { imported }: Pick<CalibrationStatistics, 'imported'>,
  fields: readonly StatisticField[],
  what: string,
): void {
  const missing = fields.find((field) => imported?.lacks.includes(field) === true);
  if (missing === undefined || imported === undefined) return;
  throw new StudioError(
    'calibration',
    'not-measured',
    `${what} needs ${fieldWords(missing)}, which ${imported.tool} does not measure.`,
    {
      nextStep: 'Choose another metric, or calibrate the model here.',
      details: { tool: imported.tool, missing },
    },
  );
}
