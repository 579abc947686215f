import { useStore } from 'zustand';
import { goOnExporting } from '../../stores/export-actions.ts';
import { exportStore } from '../../stores/export-store.ts';
import { isVerifying, verifyStore } from '../../stores/verify-store.ts';
import { Button } from '../../ui/Button.tsx';
import styles from './ExportPanel.module.css';
import { unfinishedWords } from './unfinished-words.ts';

/** What an export that ended early has left in its folder, and the way on. */
export function UnfinishedNotice() {
  const unfinished = useStore(exportStore, (state) => state.unfinished);
  const verifying = useStore(verifyStore, (state) => isVerifying(state.status));
  if (unfinished === null) return null;
  return (
    <>
      <p className={styles.words}>{unfinishedWords(unfinished)}</p>
      <Button disabled={verifying} onClick={() => void goOnExporting()}>
        Go on
      </Button>
    </>
  );
}
