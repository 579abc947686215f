/** Where rows and columns lie, in whole device pixels: cells share edges, so that no seam shows at any size. */
export interface HeatmapGeometry {
  readonly rows: number;
  readonly columns: number;
  /** Device pixels. */
  readonly width: number;
  readonly height: number;
}

/** A cell taller than this many times its width reads as a bar, not as a cell. */
const TALLEST = 3.4;

/** The map's size in a room of `roomWidth` × `roomHeight`, all in device pixels. At least one pixel a cell. */
export function fitHeatmap(rows: number, columns: number, roomWidth: number, roomHeight: number): HeatmapGeometry {
  const width = Math.max(columns, Math.floor(roomWidth));
  const cellHeight = Math.min(roomHeight / Math.max(1, rows), TALLEST * Math.max(10, width / Math.max(1, columns)));
  return { rows, columns, width, height: Math.max(rows, Math.round(cellHeight * rows)) };
}

/** The left edge of a column; `columns` gives the right edge of the last. */
export function columnEdge({ columns, width }: HeatmapGeometry, column: number): number {
  return Math.round((column * width) / columns);
}

/** The upper edge of a row; `rows` gives the lower edge of the last. */
export function rowEdge({ rows, height }: HeatmapGeometry, row: number): number {
  return Math.round((row * height) / rows);
}

/** The cell under a point in device pixels, or null outside. */
export function cellAt(
  geometry: HeatmapGeometry,
  x: number,
  y: number,
): { readonly row: number; readonly column: number } | null {
  const { rows, columns, width, height } = geometry;
  if (!(x >= 0 && x < width && y >= 0 && y < height)) return null;
  const column = nearestCell(Math.floor((x / width) * columns), columns, (edge) => columnEdge(geometry, edge), x);
  const row = nearestCell(Math.floor((y / height) * rows), rows, (edge) => rowEdge(geometry, edge), y);
  return { row, column };
}

/** Edges are rounded: the true cell may be a neighbour of the guess. */
function nearestCell(guess: number, count: number, edge: (index: number) => number, position: number): number {
  let index = Math.min(count - 1, Math.max(0, guess));
  while (index > 0 && position < edge(index)) index--;
  while (index < count - 1 && position >= edge(index + 1)) index++;
  return index;
}
