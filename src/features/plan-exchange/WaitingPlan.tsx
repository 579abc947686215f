import { OpenedPlan } from './OpenedPlan.tsx';
import styles from './PlanExchange.module.css';

/** On the first screen: the plan that was dropped before its model. */
export function WaitingPlan() {
  return (
    <aside className={styles.waiting} aria-label="Opened plan">
      <OpenedPlan />
    </aside>
  );
}
