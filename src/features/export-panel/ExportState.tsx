import { useStore } from 'zustand';
import { downloadBlob } from '../../client/download.ts';
import { exportStore } from '../../stores/export-store.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { formatBytes, formatWhole } from '../../ui/number-format.ts';
import { ProgressBar } from '../../ui/ProgressBar.tsx';
import styles from './ExportPanel.module.css';

interface ExportStateProps {
  readonly calibrated: boolean;
  /** The ratio is one that the model allows. */
  readonly possible: boolean;
}

const PHASES = { writing: 'Writing', verifying: 'Verifying', packing: 'Packing' } as const;

/** How the export stands: waiting, at work, done or refused. */
export function ExportState({ calibrated, possible }: ExportStateProps) {
  const { status, progress, result, error } = useStore(exportStore);
  if (error !== null) return <Notice tone="error" message={error.message} nextStep={error.nextStep} />;
  if (status === 'running' || status === 'cancelling') {
    const words = progress === null ? 'Preparing' : `${PHASES[progress.phase]} ${progress.file}`;
    const fraction = progress === null || progress.bytesTotal === 0 ? 0 : progress.bytesDone / progress.bytesTotal;
    return (
      <div className={styles.state}>
        <ProgressBar label="Export" fraction={fraction} valueText={`${Math.round(fraction * 100)} %, ${words}`} />
        <p className={styles.words}>{status === 'cancelling' ? 'Cancelling' : words}</p>
      </div>
    );
  }
  if (result !== null) {
    const { files, bytes, zip } = result;
    return (
      <div className={styles.state} role="status" aria-label="Export result">
        <p className={styles.words}>
          <strong>Done.</strong> Verified {formatWhole(files)} files, {formatBytes(bytes)}.
        </p>
        {zip === null ? null : (
          <Button look="quiet" onClick={() => downloadBlob(zip.name, zip.file)}>
            Download the zip again
          </Button>
        )}
      </div>
    );
  }
  if (status === 'cancelled')
    return <Notice tone="plain" message="The export was cancelled. Nothing unfinished looks like a model." />;
  if (!calibrated) return <Notice tone="plain" message="Calibrate first: the plan follows from what is measured." />;
  if (!possible) return null;
  return (
    <Notice tone="plain" message="The plan lists what stays; the model is written in its own format and verified." />
  );
}
