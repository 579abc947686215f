import { useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import type { WireError } from '../../core/base/errors.ts';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { heldPlan, subscribeDerived } from '../../stores/derived.ts';
import { discardPlan, forgetRefusal, planStore } from '../../stores/plan-store.ts';
import { Button } from '../../ui/Button.tsx';
import styles from './PlanExchange.module.css';
import { planWords } from './plan-words.ts';

/** Says which plan holds or waits, or why one does not fit, with the way back; and why a file could not be taken. */
export function OpenedPlan() {
  const opened = useStore(planStore, (state) => state.opened);
  const refusal = useStore(planStore, (state) => state.refusal);
  const model = useStore(checkpointStore, (state) => state.summary);
  const misfit = useSyncExternalStore(subscribeDerived, heldPlan)?.error ?? null;
  return (
    <>
      {refusal === null ? null : <Refusal error={refusal} button="Close" onClick={forgetRefusal} />}
      {misfit === null ? null : <Refusal error={misfit} button="Discard" onClick={discardPlan} />}
      {opened === null || misfit !== null ? null : (
        <div className={styles.opened}>
          <div role="status">
            <p>{planWords(opened, model)}</p>
            {opened.notes.map((note) => (
              <p key={note}>{note}</p>
            ))}
          </div>
          <Button onClick={discardPlan}>Discard</Button>
        </div>
      )}
    </>
  );
}

interface RefusalProps {
  readonly error: WireError;
  readonly button: string;
  readonly onClick: () => void;
}

function Refusal({ error, button, onClick }: RefusalProps) {
  return (
    <div className={styles.refused}>
      <p role="alert">
        <strong>{error.message}</strong> {error.nextStep}
      </p>
      <Button onClick={onClick}>{button}</Button>
    </div>
  );
}
