import type { LayerScores } from '../../core/saliency/saliency-matrix.ts';
import type { ColourMode } from '../../stores/view-store.ts';

/** Levels 0..255 of one row, the place of each score in the span that the mode compares it with. */
export type RowLevels = Uint8Array;

/** Fewer tokens than this say little about an expert: its cell is dotted. */
export const FEW_TOKENS = 50;

/**
 * Levels of the measured rows, in their order. `layer` stretches each row from its least to its largest score, `model`
 * does so over all rows together, `rank` spreads a row's ranks evenly (equal scores share the better place).
 */
export function levelsOf(rows: readonly LayerScores[], mode: ColourMode): RowLevels[] {
  if (mode === 'rank') return rows.map(({ scores }) => rankLevels(scores));
  if (mode === 'layer') return rows.map(({ scores }) => stretched(scores, span([scores])));
  const whole = span(rows.map(({ scores }) => scores));
  return rows.map(({ scores }) => stretched(scores, whole));
}

/** The least and the largest of all values. */
export function span(rows: readonly Float64Array[]): readonly [least: number, largest: number] {
  let least = Number.POSITIVE_INFINITY;
  let largest = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    for (const value of row) {
      if (value < least) least = value;
      if (value > largest) largest = value;
    }
  }
  return least <= largest ? [least, largest] : [0, 0];
}

/** The places of scores in their layer, 1 for the largest; equal scores share the better place. */
export function ranks(scores: Float64Array): Int32Array {
  const order = Array.from(scores, (_score, expert) => expert).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  const places = new Int32Array(scores.length);
  let place = 0;
  order.forEach((expert, index) => {
    if (index === 0 || scores[expert] !== scores[order[index - 1] ?? 0]) place = index + 1;
    places[expert] = place;
  });
  return places;
}

function stretched(scores: Float64Array, [least, largest]: readonly [number, number]): RowLevels {
  const room = largest - least;
  return Uint8Array.from(scores, (score) => (room > 0 ? Math.round(((score - least) / room) * 255) : 0));
}

function rankLevels(scores: Float64Array): RowLevels {
  const last = Math.max(1, scores.length - 1);
  return Uint8Array.from(ranks(scores), (place) => Math.round(((scores.length - place) / last) * 255));
}
