import type { Cell } from '../../stores/view-store.ts';
import { columnEdge, type HeatmapGeometry, rowEdge } from './heatmap-geometry.ts';
import styles from './SaliencyHeatmap.module.css';

interface CellFrameProps {
  readonly cell: Cell;
  readonly geometry: HeatmapGeometry;
  /** Device pixels a CSS pixel. */
  readonly ratio: number;
  readonly kind: 'active' | 'hovered';
}

/** A frame about one cell, in two tones so that it shows on every colour. */
export function CellFrame({ cell, geometry, ratio, kind }: CellFrameProps) {
  const left = columnEdge(geometry, cell.expert) / ratio;
  const top = rowEdge(geometry, cell.row) / ratio;
  const width = columnEdge(geometry, cell.expert + 1) / ratio - left;
  const height = rowEdge(geometry, cell.row + 1) / ratio - top;
  return <div className={styles[kind]} style={{ left, top, width, height }} aria-hidden />;
}
