import { useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import { currentSelection, measuredScores, presentChoice, subscribeDerived } from '../../stores/derived.ts';
import { planStore } from '../../stores/plan-store.ts';
import { Facts } from '../../ui/Facts.tsx';
import { formatMeasure } from '../../ui/number-format.ts';
import { Panel } from '../../ui/Panel.tsx';
import styles from './ExpertInspector.module.css';
import { fateOf } from './fate.ts';
import { LayerRanking } from './LayerRanking.tsx';

interface PlannedExpertProps {
  /** The model's own layer index. */
  readonly layer: number;
  readonly expert: number;
}

/** An expert as a plan from a file has it: its score, if the plan has any, and whether it stays. */
export function PlannedExpert({ layer, expert }: PlannedExpertProps) {
  const name = useStore(planStore, (state) => state.opened?.name ?? '');
  const { metric } = useSyncExternalStore(subscribeDerived, presentChoice);
  const rows = useSyncExternalStore(subscribeDerived, measuredScores).value;
  const selection = useSyncExternalStore(subscribeDerived, currentSelection);
  const plan = selection?.value?.plan.layers.find((other) => other.layer === layer);
  if (plan === undefined) return null;
  const scores = rows?.find((row) => row.layer === layer)?.scores;
  const score = scores?.[expert] ?? 0;
  const rank = 1 + (scores?.filter((other) => other > score).length ?? 0);
  const isKept = !plan.drop.includes(expert);
  return (
    <Panel
      title={`Layer ${layer}, expert ${expert}`}
      aside={<span className={isKept ? styles.kept : styles.cut}>{isKept ? 'Kept' : 'Cut'}</span>}
    >
      {scores === undefined ? (
        <p className={styles.why}>
          {isKept ? 'Kept' : 'Cut'}: {name} says so, and holds no scores.
        </p>
      ) : (
        <>
          <p className={styles.why}>{fateOf(plan, expert, rank, metric.label).why}</p>
          <LayerRanking layer={layer} scores={scores} drop={plan.drop} expert={expert} />
          <Facts facts={[[metric.label, `${formatMeasure(score)}, rank ${rank} of ${plan.experts}`]]} />
        </>
      )}
      <p className={styles.formula}>From {name}; nothing else is known of the expert.</p>
    </Panel>
  );
}
