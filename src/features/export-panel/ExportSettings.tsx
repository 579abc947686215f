import { useStore } from 'zustand';
import { type DestinationKind, exportSettings } from '../../stores/export-settings.ts';
import { SelectField } from '../../ui/SelectField.tsx';
import { roomAdvice } from './destination.ts';
import styles from './ExportPanel.module.css';

const AS_THE_SOURCE = '0';
const SIZES = [
  { id: AS_THE_SOURCE, label: 'As the source' },
  { id: '1000000000', label: '1 GB at most' },
  { id: '2000000000', label: '2 GB at most' },
  { id: '5000000000', label: '5 GB at most' },
  { id: '10000000000', label: '10 GB at most' },
] as const;

interface ExportSettingsProps {
  readonly kind: DestinationKind;
  /** Of the pruned model. */
  readonly bytes: number;
  readonly disabled: boolean;
}

/** How the weights are split into files, and the room that they take. */
export function ExportSettings({ kind, bytes, disabled }: ExportSettingsProps) {
  const shardBytes = useStore(exportSettings, (state) => state.shardBytes);
  return (
    <div className={styles.settings}>
      <SelectField
        label="Shards"
        value={String(shardBytes ?? AS_THE_SOURCE)}
        choices={SIZES}
        disabled={disabled}
        onChange={(id) => exportSettings.setState({ shardBytes: id === AS_THE_SOURCE ? null : Number(id) })}
      />
      {disabled ? null : <p className={styles.words}>{roomAdvice(kind, bytes)}</p>}
    </div>
  );
}
