import styles from './PlanSummary.module.css';

interface FigureProps {
  readonly name: string;
  /** Null where there is no figure of the model as it came. */
  readonly before: string | null;
  readonly after: string;
}

/** One read-out: what it was and what it becomes. */
export function Figure({ name, before, after }: FigureProps) {
  return (
    <p className={styles.figure}>
      <span className={styles.name}>{name} </span>
      <span className={styles.values}>
        {before === null ? null : (
          <>
            <span className={styles.before}>{before}</span>
            <span className={styles.arrow} aria-hidden>
              →
            </span>
            <span className="visually-hidden"> to </span>
          </>
        )}
        <span className={styles.after}>{after}</span>
      </span>
    </p>
  );
}
