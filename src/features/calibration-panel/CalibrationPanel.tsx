import { useStore } from 'zustand';
import {
  cancelCalibration,
  pauseCalibration,
  resumeCalibration,
  startCalibration,
} from '../../stores/calibration-actions.ts';
import { calibrationStore, isUnderWay } from '../../stores/calibration-store.ts';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { corpusStore } from '../../stores/corpus-store.ts';
import { Button } from '../../ui/Button.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { ProgressBar } from '../../ui/ProgressBar.tsx';
import { CalibrationNotes } from './CalibrationNotes.tsx';
import styles from './CalibrationPanel.module.css';
import { paceWords, statusWords } from './progress-words.ts';

/** Starts, paces and stops the measurement. */
export function CalibrationPanel() {
  const state = useStore(calibrationStore);
  const { status, progress, statistics } = state;
  const summary = useStore(checkpointStore, (checkpoint) => checkpoint.summary);
  const hasText = useStore(corpusStore, ({ bundled, own }) => bundled.size + own.length > 0);
  const busy = isUnderWay(status);
  const pausable = status === 'running' || status === 'pausing' || status === 'paused';
  const halted = status === 'pausing' || status === 'paused';
  const layers = summary?.layers ?? 1;
  const fraction = status === 'done' ? 1 : (progress?.fraction ?? (statistics?.layers.length ?? 0) / layers);
  // What failed half-way begins again with the first layer that is not finished.
  const goesOn = status === 'failed' && (statistics?.layers.length ?? 0) > 0;
  const words = statusWords(state);
  const pace = paceWords(state);

  return (
    <Panel title="Calibration" aside={state.backend?.description}>
      <div className={styles.progress}>
        <ProgressBar
          label="Calibration"
          fraction={fraction}
          valueText={[`${Math.round(fraction * 100)} %`, words, pace].filter(Boolean).join(', ')}
          still={halted || status === 'cancelled' || status === 'failed'}
        />
        <p className={styles.words}>
          <span>{words}</span>
          <span>{pace}</span>
        </p>
      </div>
      <CalibrationNotes />
      <div className={styles.actions}>
        {busy ? (
          <>
            <Button disabled={!pausable} onClick={() => void (halted ? resumeCalibration() : pauseCalibration())}>
              {halted ? 'Resume' : 'Pause'}
            </Button>
            <Button disabled={status === 'cancelling'} onClick={() => void cancelCalibration()}>
              Cancel
            </Button>
          </>
        ) : (
          <Button
            look={status === 'done' ? 'secondary' : 'primary'}
            disabled={summary === null || !hasText}
            onClick={() => void startCalibration()}
          >
            {goesOn ? 'Go on' : 'Calibrate'}
          </Button>
        )}
      </div>
    </Panel>
  );
}
