import { useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import type { ExpertRange } from '../../core/plan/plan-summary.ts';
import { calibrationStore } from '../../stores/calibration-store.ts';
import { currentSelection, currentSummary, presentChoice, subscribeDerived } from '../../stores/derived.ts';
import { formatBytes, formatCount, formatPercent } from '../../ui/number-format.ts';
import { Figure } from './Figure.tsx';
import styles from './PlanSummary.module.css';

/** What the plan saves and what it costs, before and after; or why there is no plan. */
export function PlanSummary() {
  const selection = useSyncExternalStore(subscribeDerived, currentSelection);
  const summary = useSyncExternalStore(subscribeDerived, currentSummary);
  const calibrated = useStore(calibrationStore, (state) => state.status === 'done');
  const { isHeld } = useSyncExternalStore(subscribeDerived, presentChoice);
  const error = selection?.error ?? null;
  return (
    <div role="status" aria-label="Plan summary" className={styles.summary}>
      {error === null ? null : (
        <p className={styles.refusal}>
          <strong>{error.message}</strong> {error.nextStep}
        </p>
      )}
      {summary === null ? null : (
        <>
          <div className={styles.figures}>
            <Figure
              name="Experts a layer"
              before={rangeWords(summary.expertsPerLayer.before)}
              after={rangeWords(summary.expertsPerLayer.after)}
            />
            <Figure
              name="Parameters"
              before={formatCount(summary.parameters.before)}
              after={formatCount(summary.parameters.after)}
            />
            <Figure
              name="On disk"
              before={formatBytes(summary.bytes.before)}
              after={formatBytes(summary.bytes.after)}
            />
            <Figure
              name="Saliency kept"
              before={null}
              after={
                (calibrated || isHeld) && summary.saliencyKept !== null ? formatPercent(summary.saliencyKept, 1) : '–'
              }
            />
          </div>
          {selection?.value?.warnings.map(({ code, message }) => (
            <p key={`${code}${message}`} className={styles.warning}>
              {message}
            </p>
          ))}
        </>
      )}
    </div>
  );
}

function rangeWords({ min, max }: ExpertRange): string {
  return min === max ? `${min}` : `${min} to ${max}`;
}
