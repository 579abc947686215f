import type { CheckpointSummary, MoeLayerSummary } from '../checkpoint/summary.ts';
import { otherModelImport } from './refusals.ts';

export interface MatchedLayers<Foreign> {
  readonly pairs: readonly (readonly [model: MoeLayerSummary, foreign: Foreign])[];
  /** How the file's numbers were read, where that is not plain. */
  readonly notes: readonly string[];
}

const SHOWN = 6;

/**
 * Pairs the layers of a file with the model's layers with experts. A file numbers them as the model does, or from 0 on
 * without the layers that have none: both are known, and anything else is another model's.
 *
 * @param layers ascending by number.
 * @throws StudioError plan/other-model when count or numbers do not fit.
 */
export function matchLayers<Foreign extends { readonly number: number }>(
  file: string,
  layers: readonly Foreign[],
  { label, moeLayers }: CheckpointSummary,
): MatchedLayers<Foreign> {
  if (layers.length !== moeLayers.length) {
    throw otherModelImport(
      file,
      label,
      `holds ${layers.length === 1 ? 'one layer' : `${layers.length} layers`}, and the model has ${moeLayers.length} with experts`,
    );
  }
  const pairs = moeLayers.flatMap((model, row) => {
    const foreign = layers[row];
    return foreign === undefined ? [] : [[model, foreign] as const];
  });
  if (pairs.every(([model, foreign]) => model.layer === foreign.number)) return { pairs, notes: [] };
  if (pairs.every(([, { number }], row) => number === row)) {
    const first = moeLayers[0]?.layer ?? 0;
    const last = moeLayers.at(-1)?.layer ?? 0;
    return {
      pairs,
      notes: [
        `It counts the layers with experts from 0 on: they were read as layers ${first} to ${last} of the model.`,
      ],
    };
  }
  const numbers = layers
    .slice(0, SHOWN)
    .map(({ number }) => number)
    .join(', ');
  const own = moeLayers
    .slice(0, SHOWN)
    .map(({ layer }) => layer)
    .join(', ');
  throw otherModelImport(file, label, `numbers its layers ${numbers} …, where the model has experts in ${own} …`);
}
