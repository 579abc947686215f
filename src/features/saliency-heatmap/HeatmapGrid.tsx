import { type KeyboardEvent, type MouseEvent, useMemo, useRef } from 'react';
import { useStore } from 'zustand';
import type { CheckpointSummary } from '../../core/checkpoint/summary.ts';
import { type Cell, viewStore } from '../../stores/view-store.ts';
import { CellFrame } from './CellFrame.tsx';
import { moveInGrid } from './grid-navigation.ts';
import { HeatmapAxes } from './HeatmapAxes.tsx';
import { columnsOf } from './heatmap-cells.ts';
import { cellAt, fitHeatmap } from './heatmap-geometry.ts';
import styles from './SaliencyHeatmap.module.css';
import { useCellWords } from './use-cell-words.ts';
import { useHeatmapDrawing } from './use-heatmap-drawing.ts';
import { useRoom } from './use-room.ts';

const MARGIN = { left: 30, top: 20 } as const;
/** Room at the right and below for the active cell's frame. */
const FRAME = 5;

interface HeatmapGridProps {
  readonly summary: CheckpointSummary;
  readonly hovered: Cell | null;
  readonly onHover: (cell: Cell | null) => void;
}

/** The canvas, its axes, and the grid that keyboards and screen readers meet: one row and cell of it at a time. */
export function HeatmapGrid({ summary, hovered, onHover }: HeatmapGridProps) {
  const { moeLayers } = summary;
  const roomElement = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const room = useRoom(roomElement);
  const active = useStore(viewStore, (state) => state.active);
  const words = useCellWords(active);
  const columns = columnsOf(moeLayers);
  const layers = useMemo(() => moeLayers.map(({ layer }) => layer), [moeLayers]);
  const geometry = useMemo(() => {
    if (room === null) return null;
    const width = (room.width - MARGIN.left - FRAME) * room.ratio;
    return fitHeatmap(moeLayers.length, columns, width, (room.height - MARGIN.top - FRAME) * room.ratio);
  }, [room, moeLayers, columns]);
  useHeatmapDrawing(canvas, geometry);

  const ratio = room?.ratio ?? 1;
  const size = { width: (geometry?.width ?? 0) / ratio, height: (geometry?.height ?? 0) / ratio };
  const cellUnder = (event: MouseEvent): Cell | null => {
    if (geometry === null) return null;
    const box = event.currentTarget.getBoundingClientRect();
    const hit = cellAt(geometry, (event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio);
    if (hit === null || hit.column >= (moeLayers[hit.row]?.experts ?? 0)) return null;
    return { row: hit.row, expert: hit.column };
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const control = event.ctrlKey || event.metaKey;
    const next = moveInGrid(active, event.key, control, moeLayers.length, (row) => moeLayers[row]?.experts ?? 1);
    if (next === null) return;
    event.preventDefault();
    onHover(null);
    viewStore.setState({ active: next });
  };

  return (
    <div ref={roomElement} className={styles.room}>
      <HeatmapAxes {...size} margin={MARGIN} columns={columns} layers={layers} />
      {/* biome-ignore lint/a11y/useSemanticElements: a table of thousands of cells is what the canvas is there to avoid */}
      <div
        role="grid"
        aria-label="Expert saliency"
        aria-rowcount={moeLayers.length}
        aria-colcount={columns}
        aria-readonly
        aria-activedescendant="expert-saliency-active"
        tabIndex={0}
        className={styles.grid}
        style={{ ...size, marginLeft: MARGIN.left, marginTop: MARGIN.top }}
        onKeyDown={onKeyDown}
        onMouseMove={(event) => onHover(cellUnder(event))}
        onMouseLeave={() => onHover(null)}
        onClick={(event) => {
          const cell = cellUnder(event);
          if (cell !== null) viewStore.setState({ active: cell });
        }}
      >
        <canvas ref={canvas} className={styles.canvas} style={size} aria-hidden />
        {/* biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: part of the grid above, which holds the focus */}
        <div role="row" aria-rowindex={active.row + 1} className="visually-hidden">
          {/* biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: as above */}
          <span role="gridcell" id="expert-saliency-active" aria-colindex={active.expert + 1} aria-selected>
            {words}
          </span>
        </div>
        {geometry === null ? null : <CellFrame cell={active} geometry={geometry} ratio={ratio} kind="active" />}
        {geometry === null || hovered === null ? null : (
          <CellFrame cell={hovered} geometry={geometry} ratio={ratio} kind="hovered" />
        )}
      </div>
    </div>
  );
}
