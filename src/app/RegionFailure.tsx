import type { FallbackProps } from 'react-error-boundary';
import { Button } from '../ui/Button.tsx';
import { Notice } from '../ui/Notice.tsx';
import styles from './App.module.css';

/** Stands in for a region whose drawing failed; the rest of the page goes on. */
export function RegionFailure({ error, resetErrorBoundary }: FallbackProps) {
  const cause = error instanceof Error ? error.message : String(error);
  return (
    <div className={styles.failure}>
      <Notice
        tone="error"
        message={`This part of the page failed: ${cause}`}
        nextStep="Show it again. If it fails once more, reload the page; finished layers are kept."
      />
      <Button onClick={resetErrorBoundary}>Show it again</Button>
    </div>
  );
}
