import { memoiseLatest } from '../../stores/memoise-latest.ts';
import { ABSENT, DROPPED, SPARSE, UNMEASURED } from './heatmap-cells.ts';
import { cssColour } from './heatmap-colours.ts';
import { columnEdge, rowEdge } from './heatmap-geometry.ts';
import { cellWord, dotIsDark, type HeatmapModel, paintPixels } from './heatmap-pixels.ts';

/** Cells narrower than this, in device pixels, are painted by pixel; wider ones get gaps and smooth lines. */
const SMALL_CELL = 8;

/** The pixels of the drawing before: paintPixels writes every one anew, and fresh memory costs more than the painting. */
const imageOf = memoiseLatest((width: number, height: number) => new ImageData(width, height));

/** Draws the map at the context's origin, `geometry.width` × `geometry.height` device pixels. */
export function drawHeatmap(context: CanvasRenderingContext2D, model: HeatmapModel): void {
  const { width, height, columns } = model.geometry;
  if (width / columns < SMALL_CELL) {
    const image = imageOf(width, height);
    paintPixels(new Uint32Array(image.data.buffer), model);
    context.putImageData(image, 0, 0);
    return;
  }
  context.clearRect(0, 0, width, height);
  drawColours(context, model);
  drawGaps(context, model);
  drawStrokes(context, model);
  drawDots(context, model);
}

/** One texel a cell, then scaled up without smoothing: one call whatever the number of cells. */
function drawColours(context: CanvasRenderingContext2D, model: HeatmapModel): void {
  const { rows, columns, width, height } = model.geometry;
  const image = context.createImageData(columns, rows);
  const words = new Uint32Array(image.data.buffer);
  for (let index = 0; index < words.length; index++) words[index] = cellWord(model.cells[index] ?? ABSENT, model);
  const texels = new OffscreenCanvas(columns, rows);
  texels.getContext('2d')?.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(texels, 0, 0, columns, rows, 0, 0, width, height);
}

function drawGaps(context: CanvasRenderingContext2D, { geometry, theme }: HeatmapModel): void {
  const { rows, columns, width, height } = geometry;
  const gap = width / columns > 24 ? 2 : 1;
  context.fillStyle = cssColour(theme.surface);
  for (let column = 1; column < columns; column++) context.fillRect(columnEdge(geometry, column) - gap, 0, gap, height);
  for (let row = 1; row < rows; row++) context.fillRect(0, rowEdge(geometry, row) - gap, width, gap);
}

function drawStrokes(context: CanvasRenderingContext2D, { geometry, cells, theme }: HeatmapModel): void {
  const { rows, columns, width } = geometry;
  const inset = Math.min(4, (width / columns) * 0.18);
  context.beginPath();
  for (let row = 0; row < rows; row++) {
    const top = rowEdge(geometry, row) + inset;
    const bottom = rowEdge(geometry, row + 1) - inset - 1;
    for (let column = 0; column < columns; column++) {
      if (((cells[row * columns + column] ?? 0) & DROPPED) === 0) continue;
      context.moveTo(columnEdge(geometry, column) + inset, bottom);
      context.lineTo(columnEdge(geometry, column + 1) - inset - 1, top);
    }
  }
  context.strokeStyle = cssColour(theme.ink);
  context.lineWidth = Math.max(1, Math.min(2.5, width / columns / 12));
  context.stroke();
}

function drawDots(context: CanvasRenderingContext2D, { geometry, cells, theme }: HeatmapModel): void {
  const { rows, columns, width } = geometry;
  const size = Math.max(2, Math.round(width / columns / 9));
  for (let row = 0; row < rows; row++) {
    const middle = (rowEdge(geometry, row) + rowEdge(geometry, row + 1)) >> 1;
    for (let column = 0; column < columns; column++) {
      const cell = cells[row * columns + column] ?? 0;
      if ((cell & SPARSE) === 0 || (cell & (UNMEASURED | ABSENT)) !== 0) continue;
      const centre = (columnEdge(geometry, column) + columnEdge(geometry, column + 1)) >> 1;
      context.fillStyle = dotIsDark(cell, theme) ? '#000' : '#fff';
      for (const offset of [-2 * size, 0, 2 * size])
        context.fillRect(centre - (size >> 1), middle + offset, size, size);
    }
  }
}
