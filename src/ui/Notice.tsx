import type { ReactNode } from 'react';
import styles from './Notice.module.css';

interface NoticeProps {
  readonly tone: 'error' | 'warning' | 'plain';
  /** What happened, one sentence. */
  readonly message: ReactNode;
  /** What the person can do now. */
  readonly nextStep?: ReactNode;
}

/** A sentence in place. An error is announced at once. */
export function Notice({ tone, message, nextStep }: NoticeProps) {
  return (
    <div className={`${styles.notice} ${styles[tone]}`} role={tone === 'error' ? 'alert' : undefined}>
      <p className={styles.message}>{message}</p>
      {nextStep === undefined ? null : <p>{nextStep}</p>}
    </div>
  );
}
