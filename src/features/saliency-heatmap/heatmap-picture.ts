import type { CheckpointSummary } from '../../core/checkpoint/summary.ts';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { currentSelection, measuredScores, presentChoice } from '../../stores/derived.ts';
import { memoiseLatest } from '../../stores/memoise-latest.ts';
import { viewStore } from '../../stores/view-store.ts';
import { drawHeatmap } from './draw-heatmap.ts';
import { measuredCells, plannedCells } from './heatmap-cells.ts';
import { colourTable, type HeatmapTheme, parseRgb } from './heatmap-colours.ts';
import type { HeatmapGeometry } from './heatmap-geometry.ts';

const measured = memoiseLatest(measuredCells);
const tableOf = memoiseLatest(colourTable);

/** Draws the stores' present state; nothing while no checkpoint is open. */
export function drawPresent(canvas: HTMLCanvasElement, geometry: HeatmapGeometry, theme: HeatmapTheme): void {
  const context = canvas.getContext('2d');
  const { summary } = checkpointStore.getState();
  if (context === null || summary === null) return;
  if (canvas.width !== geometry.width) canvas.width = geometry.width;
  if (canvas.height !== geometry.height) canvas.height = geometry.height;
  drawHeatmap(context, { geometry, cells: presentCells(summary), table: tableOf(theme), theme });
}

/** The page's colours where the map stands. The grid's style names them: ink, surface and the empty cell as its border. */
export const themeAt = memoiseLatest((ink: string, surface: string, empty: string): HeatmapTheme => {
  return {
    ink: parseRgb(ink) ?? [0, 0, 0],
    surface: parseRgb(surface) ?? [255, 255, 255],
    empty: parseRgb(empty) ?? [128, 128, 128],
  };
});

function presentCells(summary: CheckpointSummary) {
  const scores = measuredScores().value ?? NO_SCORES;
  const cells = measured(summary.moeLayers, scores, viewStore.getState().colourMode);
  return plannedCells(cells, summary.moeLayers, currentSelection()?.value?.plan ?? null, presentChoice().isHeld);
}

const NO_SCORES = [] as const;
