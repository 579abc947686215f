import { useState, useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import { calibrationStore, isUnderWay } from '../../stores/calibration-store.ts';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { presentChoice, subscribeDerived } from '../../stores/derived.ts';
import { type Cell, type ColourMode, viewStore } from '../../stores/view-store.ts';
import { Panel } from '../../ui/Panel.tsx';
import { SelectField } from '../../ui/SelectField.tsx';
import { HeatmapGrid } from './HeatmapGrid.tsx';
import { Legend } from './Legend.tsx';
import styles from './SaliencyHeatmap.module.css';
import { useCellWords } from './use-cell-words.ts';

const MODES: readonly { readonly id: ColourMode; readonly label: string }[] = [
  { id: 'layer', label: 'within each layer' },
  { id: 'model', label: 'over all layers' },
  { id: 'rank', label: 'by rank' },
];

/** The map of every expert: rows are layers, columns experts. */
export function SaliencyHeatmap() {
  const summary = useStore(checkpointStore, (state) => state.summary);
  const mode = useStore(viewStore, (state) => state.colourMode);
  const active = useStore(viewStore, (state) => state.active);
  const [hovered, setHovered] = useState<Cell | null>(null);
  const hover = (cell: Cell | null) => {
    if (cell?.row !== hovered?.row || cell?.expert !== hovered?.expert) setHovered(cell);
  };
  const words = useCellWords(hovered ?? active);
  const empty = useStore(
    calibrationStore,
    (state) => (state.statistics === null || state.statistics.layers.length === 0) && !isUnderWay(state.status),
  );
  const { isHeld } = useSyncExternalStore(subscribeDerived, presentChoice);
  if (summary === null) return null;
  return (
    <div className={styles.panel}>
      <Panel
        title="Expert saliency"
        aside={
          <SelectField
            label="Colour"
            value={mode}
            choices={MODES}
            onChange={(id) => viewStore.setState({ colourMode: MODES.find((row) => row.id === id)?.id ?? 'layer' })}
          />
        }
      >
        <div className={styles.map}>
          <HeatmapGrid summary={summary} hovered={hovered} onHover={hover} />
          {empty && !isHeld ? (
            <p className={styles.emptyState}>
              Nothing measured yet. Choose text and calibrate: each layer fills in as it is measured.
            </p>
          ) : null}
        </div>
        <div className={styles.foot}>
          <p className={styles.readOut} aria-live="polite">
            {words}
          </p>
          <Legend />
        </div>
      </Panel>
    </div>
  );
}
