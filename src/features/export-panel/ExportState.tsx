import { useStore } from 'zustand';
import { downloadBlob } from '../../client/download.ts';
import { type ExportResult, exportStore } from '../../stores/export-store.ts';
import { verifyExported } from '../../stores/verify-actions.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { formatBytes, formatWhole } from '../../ui/number-format.ts';
import { ProgressBar } from '../../ui/ProgressBar.tsx';
import styles from './ExportPanel.module.css';
import { UnfinishedNotice } from './UnfinishedNotice.tsx';

interface ExportStateProps {
  readonly calibrated: boolean;
  /** There is a plan that the model allows. */
  readonly possible: boolean;
}

const PHASES = { writing: 'Writing', verifying: 'Verifying', packing: 'Packing' } as const;

/** How the export stands: waiting, at work, done or refused. */
export function ExportState({ calibrated, possible }: ExportStateProps) {
  const { status, result, error, unfinished } = useStore(exportStore);
  if (status === 'running' || status === 'cancelling') return <AtWork cancelling={status === 'cancelling'} />;
  if (error !== null) {
    return (
      <div className={styles.state}>
        <Notice tone="error" message={error.message} nextStep={error.nextStep} />
        <UnfinishedNotice />
      </div>
    );
  }
  if (result !== null) return <Done result={result} />;
  if (status === 'cancelled') {
    return (
      <div className={styles.state}>
        <Notice tone="plain" message="The export was cancelled. Nothing unfinished looks like a model." />
        {unfinished === null ? null : <UnfinishedNotice />}
      </div>
    );
  }
  if (!calibrated && !possible)
    return <Notice tone="plain" message="Calibrate first: the plan follows from what is measured." />;
  if (!possible) return null;
  return (
    <Notice tone="plain" message="The plan lists what stays; the model is written in its own format and verified." />
  );
}

function AtWork({ cancelling }: { readonly cancelling: boolean }) {
  const progress = useStore(exportStore, (state) => state.progress);
  const words = progress === null ? 'Preparing' : `${PHASES[progress.phase]} ${progress.file}`;
  const fraction = progress === null || progress.bytesTotal === 0 ? 0 : progress.bytesDone / progress.bytesTotal;
  return (
    <div className={styles.state}>
      <ProgressBar label="Export" fraction={fraction} valueText={`${Math.round(fraction * 100)} %, ${words}`} />
      <p className={styles.words}>{cancelling ? 'Cancelling' : words}</p>
    </div>
  );
}

function Done({ result: { files, bytes, zip, folder } }: { readonly result: ExportResult }) {
  return (
    <>
      <div className={styles.state} role="status" aria-label="Export result">
        <p className={styles.words}>
          <strong>Done.</strong> Verified {formatWhole(files)} files, {formatBytes(bytes)}.
        </p>
      </div>
      {zip === null ? null : (
        <Button look="quiet" onClick={() => downloadBlob(zip.name, zip.file)}>
          Download the zip again
        </Button>
      )}
      {folder === null ? null : <Button onClick={() => void verifyExported(folder)}>Verify</Button>}
    </>
  );
}
