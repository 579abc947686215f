import { useStore } from 'zustand';
import type { HubRepo } from '../../core/hub/hub-repo.ts';
import { transferredBytes, transferStore } from '../../stores/checkpoint-transfer.ts';
import { Facts } from '../../ui/Facts.tsx';
import { formatBytes } from '../../ui/number-format.ts';
import styles from './ModelCard.module.css';

const COMMIT_DIGITS = 12;

/** Where a model of the hub is pinned, and how much of it came here. */
export function HubFacts({ hub }: { readonly hub: HubRepo }) {
  const bytes = useStore(transferStore, transferredBytes);
  const bytesPerSecond = useStore(transferStore, (state) => state.bytesPerSecond);
  const host = new URL(hub.endpoint).host;
  const rate = bytesPerSecond > 0 ? `, ${formatBytes(bytesPerSecond)}/s` : '';
  const read = bytes === 0 ? 'headers only' : `${formatBytes(bytes)}${rate}`;
  return (
    <>
      <Facts
        facts={[
          ['Commit', hub.commit.slice(0, COMMIT_DIGITS)],
          ['Read from the hub', read],
        ]}
      />
      <p className={styles.own}>Bytes come from {host} as they are needed. No text, plan or figure goes there.</p>
    </>
  );
}
