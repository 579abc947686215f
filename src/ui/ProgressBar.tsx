import styles from './ProgressBar.module.css';

interface ProgressBarProps {
  readonly label: string;
  /** 0..1 */
  readonly fraction: number;
  /** The state in words for assistive technology. */
  readonly valueText: string;
  readonly still?: boolean;
}

export function ProgressBar({ label, fraction, valueText, still = false }: ProgressBarProps) {
  const percent = Math.round(Math.min(1, Math.max(0, fraction)) * 100);
  return (
    <div
      className={styles.track}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      aria-valuetext={valueText}
    >
      <div className={still ? styles.still : styles.bar} style={{ inlineSize: `${fraction * 100}%` }} />
    </div>
  );
}
