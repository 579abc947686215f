import { useStore } from 'zustand';
import { calibrationStore, isUnderWay } from '../../stores/calibration-store.ts';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { corpusStore } from '../../stores/corpus-store.ts';
import { unfinishedLayers } from '../../stores/unfinished-run.ts';
import { Notice } from '../../ui/Notice.tsx';
import { formatWhole } from '../../ui/number-format.ts';
import styles from './CalibrationPanel.module.css';

/** What went wrong, what was passed over, and where an earlier run can be taken up. */
export function CalibrationNotes() {
  const { status, error, backend, resumedLayers, statistics, notes } = useStore(calibrationStore);
  const hint = useResumeHint();
  const tokens = statistics?.domains.reduce((sum, domain) => sum + domain.tokens, 0) ?? 0;
  return (
    <div className={styles.notes}>
      {error === null ? null : <Notice tone="error" message={error.message} nextStep={error.nextStep} />}
      {hint === null ? null : <Notice tone="plain" message={hint} />}
      {tokens === 0 ? null : (
        <Notice
          tone="plain"
          message={`${formatWhole(tokens)} tokens in ${domainWords(statistics?.domains.length ?? 0)}.`}
        />
      )}
      {resumedLayers > 0 && status !== 'cancelled' ? (
        <Notice
          tone="plain"
          message={`${resumedLayers} ${resumedLayers === 1 ? 'layer was' : 'layers were'} taken over from an earlier run.`}
        />
      ) : null}
      {notes.map((note) => (
        <Notice key={note} tone="warning" message={note} />
      ))}
      {backend?.notes.map((note) => (
        <Notice key={note} tone="plain" message={note} />
      ))}
    </div>
  );
}

function useResumeHint(): string | null {
  const status = useStore(calibrationStore, (state) => state.status);
  const measured = useStore(calibrationStore, (state) => state.statistics?.layers.length ?? 0);
  const summary = useStore(checkpointStore, (state) => state.summary);
  const hasText = useStore(corpusStore, ({ bundled, own }) => bundled.size + own.length > 0);
  const afresh = useStore(corpusStore, (state) => state.startAfresh);
  if (summary === null || isUnderWay(status) || status === 'done') return null;
  if (!hasText) return 'Choose some text to calibrate on.';
  // The failure itself says how to go on.
  if (status === 'failed' && measured > 0) return null;
  const layers = unfinishedLayers(summary);
  if (layers === 0 || afresh) return null;
  return `Resume calibration: an earlier run measured ${layers} of ${summary.moeLayers.length} layers. “Calibrate” goes on from there when the text is the same.`;
}

function domainWords(domains: number): string {
  return domains === 1 ? 'one domain' : `${domains} domains`;
}
