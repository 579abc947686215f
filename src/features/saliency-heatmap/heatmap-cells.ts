import type { MoeLayerSummary } from '../../core/checkpoint/summary.ts';
import type { PruningPlan } from '../../core/plan/pruning-plan.ts';
import type { LayerScores } from '../../core/saliency/saliency-matrix.ts';
import type { ColourMode } from '../../stores/view-store.ts';
import { FEW_TOKENS, levelsOf } from './heatmap-levels.ts';

/** One number a cell, [rows × columns]: the colour level in the low byte, and these flags. */
export type HeatmapCells = Uint16Array;

/** The plan drops the expert. With the level it indexes the colour table: 256..511 are the faded colours. */
export const DROPPED = 256;
/** Fewer tokens than FEW_TOKENS were routed to the expert. */
export const SPARSE = 512;
/** Its layer is not measured yet. */
export const UNMEASURED = 1024;
/** The layer has fewer experts than the widest: there is nothing here. */
export const ABSENT = 2048;

/** The experts of the widest layer. */
export function columnsOf(layers: readonly MoeLayerSummary[]): number {
  return layers.reduce((most, { experts }) => Math.max(most, experts), 0);
}

/** The picture of what was measured, before any plan. */
export function measuredCells(
  layers: readonly MoeLayerSummary[],
  scores: readonly LayerScores[],
  mode: ColourMode,
): HeatmapCells {
  const columns = columnsOf(layers);
  const cells = new Uint16Array(layers.length * columns).fill(ABSENT);
  const levels = levelsOf(scores, mode);
  const places = new Map(scores.map(({ layer }, index) => [layer, index]));
  layers.forEach(({ layer, experts }, row) => {
    const place = places.get(layer);
    const rowLevels = place === undefined ? undefined : levels[place];
    const counts = place === undefined ? undefined : scores[place]?.counts;
    // A plan from a file says nothing of tokens.
    const sparseOf = (expert: number) => (counts != null && (counts[expert] ?? 0) < FEW_TOKENS ? SPARSE : 0);
    for (let expert = 0; expert < experts; expert++) {
      cells[row * columns + expert] =
        rowLevels === undefined ? UNMEASURED : (rowLevels[expert] ?? 0) | sparseOf(expert);
    }
  });
  return cells;
}

/**
 * The same with what the plan drops marked, in measured layers only: elsewhere it is not yet said which experts go, unless
 * the plan `isFinal`.
 */
export function plannedCells(
  cells: HeatmapCells,
  layers: readonly MoeLayerSummary[],
  plan: PruningPlan | null,
  isFinal = false,
): HeatmapCells {
  const marked = Uint16Array.from(cells);
  if (plan === null) return marked;
  const columns = columnsOf(layers);
  const rows = new Map(layers.map(({ layer }, row) => [layer, row]));
  for (const { layer, drop } of plan.layers) {
    const row = rows.get(layer);
    if (row === undefined) continue;
    for (const expert of drop) {
      const index = row * columns + expert;
      const cell = marked[index] ?? ABSENT;
      if ((cell & ABSENT) === 0 && (isFinal || (cell & UNMEASURED) === 0)) marked[index] = cell | DROPPED;
    }
  }
  return marked;
}
