import type { ReactNode } from 'react';
import styles from './Facts.module.css';

export type Fact = readonly [term: string, value: ReactNode];

/** Terms at the left, figures at the right. */
export function Facts({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl className={styles.facts}>
      {facts.map(([term, value]) => (
        <div key={term} className={styles.fact}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
