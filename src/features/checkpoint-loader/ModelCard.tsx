import { useStore } from 'zustand';
import { calibrationStore, isUnderWay } from '../../stores/calibration-store.ts';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { Facts } from '../../ui/Facts.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { formatBytes, formatCount, formatWhole } from '../../ui/number-format.ts';
import { Panel } from '../../ui/Panel.tsx';
import { InspectButton } from './InspectButton.tsx';
import styles from './ModelCard.module.css';
import { OpenButtons } from './OpenButtons.tsx';
import { useCheckpointQuery } from './use-checkpoint-query.ts';

/** What the headers of the open checkpoint say. */
export function ModelCard() {
  const summary = useStore(checkpointStore, (state) => state.summary);
  const own = useStore(checkpointStore, (state) => state.source?.spec.descriptor !== undefined);
  const busy = useStore(calibrationStore, (state) => isUnderWay(state.status));
  const { label, pending, error } = useCheckpointQuery();
  return (
    <Panel title="Model" aside={summary?.architectureLabel}>
      {summary === null ? (
        <p>{pending ? `Reading the headers of ${label ?? 'the checkpoint'}…` : null}</p>
      ) : (
        <>
          <p className={styles.name}>{summary.label}</p>
          {own ? <p className={styles.own}>Read by a descriptor of your own.</p> : null}
          <Facts
            facts={[
              [
                'Layers',
                summary.moeLayers.length === summary.layers
                  ? formatWhole(summary.layers)
                  : `${summary.layers}, ${summary.moeLayers.length} with experts`,
              ],
              ['Experts a layer', `${formatWhole(summary.experts)}, top-${summary.topK}`],
              ['Parameters', formatCount(summary.totalParameters)],
              [
                'On disk',
                `${formatBytes(summary.totalBytes)} in ${formatWhole(summary.shards)} ${summary.shards === 1 ? 'file' : 'files'}`,
              ],
              ['Data type', summary.bytesByDtype.map(([dtype]) => dtype).join(', ')],
            ]}
          />
        </>
      )}
      {error === null ? null : <Notice tone="error" message={error.message} nextStep={error.nextStep} />}
      <div className={styles.actions}>
        <OpenButtons disabled={busy || pending} />
        <InspectButton error={error} disabled={busy || pending} />
      </div>
    </Panel>
  );
}
