import { useEffect, useId, useState } from 'react';
import { useStore } from 'zustand';
import { openRemembered } from '../../stores/remembered-actions.ts';
import { forgetSource, loadRemembered, type RememberedSource, rememberedStore } from '../../stores/remembered-store.ts';
import { Button } from '../../ui/Button.tsx';
import { formatAgo } from '../../ui/time-format.ts';
import styles from './OpenedBefore.module.css';

/** What earlier visits opened, newest first; nothing on the first visit. */
export function OpenedBefore({ disabled }: { readonly disabled: boolean }) {
  const sources = useStore(rememberedStore, (state) => state.sources);
  const [now] = useState(Date.now);
  const headingId = useId();
  useEffect(() => void loadRemembered(), []);
  if (sources.length === 0) return null;
  return (
    <section className={styles.region} aria-labelledby={headingId}>
      <h2 id={headingId} className={styles.heading}>
        Opened before
      </h2>
      <ul className={styles.list}>
        {sources.map((source) => (
          <li key={`${source.time}-${source.label}`} className={styles.row}>
            <button
              type="button"
              className={styles.open}
              disabled={disabled}
              onClick={() => void openRemembered(source)}
            >
              <span className={styles.label}>{source.label}</span>{' '}
              <span className={styles.about}>
                {placeOf(source)}, {formatAgo(source.time, now)}
              </span>
            </button>
            <Button look="quiet" aria-label={`Remove ${source.label}`} onClick={() => void forgetSource(source)}>
              Remove
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function placeOf(source: RememberedSource): string {
  return source.kind === 'directory' ? 'folder' : new URL(source.endpoint).host;
}
