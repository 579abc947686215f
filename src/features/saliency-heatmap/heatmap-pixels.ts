import { ABSENT, DROPPED, type HeatmapCells, SPARSE, UNMEASURED } from './heatmap-cells.ts';
import { type HeatmapTheme, word } from './heatmap-colours.ts';
import { columnEdge, type HeatmapGeometry, rowEdge } from './heatmap-geometry.ts';

/** All that the picture depends on. */
export interface HeatmapModel {
  readonly geometry: HeatmapGeometry;
  readonly cells: HeatmapCells;
  /** See colourTable. */
  readonly table: Uint32Array;
  readonly theme: HeatmapTheme;
}

/** The colour of a cell without its marks; absent cells are transparent. */
export function cellWord(cell: number, { table, theme }: Pick<HeatmapModel, 'table' | 'theme'>): number {
  if ((cell & ABSENT) !== 0) return 0;
  if ((cell & UNMEASURED) !== 0) return word(theme.empty);
  return table[cell & (DROPPED | 255)] ?? 0;
}

/** Dots must show on the cell's own colour: the surface's colour or the ink's would vanish on one half of the scale. */
export function dotIsDark(cell: number, theme: HeatmapTheme): boolean {
  const light = theme.surface[0] > 128;
  return (cell & DROPPED) === 0 ? (cell & 255) > 110 : light;
}

/**
 * Paints the map pixel by pixel into `pixels` [height × width]: for cells of a few pixels, where thousands of lines on a
 * canvas would take longer than a frame. A dropped cell is crossed from its lower left to its upper right corner, a
 * sparse one bears a dot.
 */
export function paintPixels(pixels: Uint32Array, model: HeatmapModel): void {
  const { geometry, cells, theme } = model;
  const { rows, columns, width } = geometry;
  const edges = Int32Array.from({ length: columns + 1 }, (_, column) => columnEdge(geometry, column));
  const ink = word(theme.ink);
  for (let row = 0; row < rows; row++) {
    const top = rowEdge(geometry, row);
    const bottom = rowEdge(geometry, row + 1);
    const line = top * width;
    const first = row * columns;
    for (let column = 0; column < columns; column++) {
      const colour = cellWord(cells[first + column] ?? ABSENT, model);
      // A loop: fill() over a handful of pixels, 16,000 times, takes longer than a frame.
      const end = line + (edges[column + 1] ?? 0);
      for (let at = line + (edges[column] ?? 0); at < end; at++) pixels[at] = colour;
    }
    for (let y = top + 1; y < bottom; y++) pixels.copyWithin(y * width, line, line + width);
    for (let y = top; y < bottom; y++) {
      const rise = (bottom - 1 - y + 0.5) / (bottom - top);
      for (let column = 0; column < columns; column++) {
        if (((cells[first + column] ?? 0) & DROPPED) === 0) continue;
        const left = edges[column] ?? 0;
        pixels[y * width + left + Math.floor(rise * ((edges[column + 1] ?? 0) - left))] = ink;
      }
    }
    const middle = ((top + bottom) >> 1) * width;
    for (let column = 0; column < columns; column++) {
      const cell = cells[first + column] ?? 0;
      if ((cell & (DROPPED | SPARSE)) !== SPARSE) continue;
      const left = edges[column] ?? 0;
      const dot = word(dotIsDark(cell, theme) ? [0, 0, 0] : [255, 255, 255]);
      pixels[middle + left + (((edges[column + 1] ?? 0) - left) >> 1)] = dot;
    }
  }
}
