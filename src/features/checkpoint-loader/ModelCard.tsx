import { useStore } from 'zustand';
import { calibrationStore, isUnderWay } from '../../stores/calibration-store.ts';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { exportStore, isExporting } from '../../stores/export-store.ts';
import { Facts } from '../../ui/Facts.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { HubFacts } from './HubFacts.tsx';
import { InspectButton } from './InspectButton.tsx';
import styles from './ModelCard.module.css';
import { modelFacts } from './model-facts.ts';
import { OpenAgain } from './OpenAgain.tsx';
import { OpenButtons } from './OpenButtons.tsx';
import { useCheckpointQuery } from './use-checkpoint-query.ts';
import { useSourceFailure } from './use-source-failure.ts';

/** What the headers of the open checkpoint say, and where its bytes come from. */
export function ModelCard() {
  const summary = useStore(checkpointStore, (state) => state.summary);
  const spec = useStore(checkpointStore, (state) => state.source?.spec);
  const calibrating = useStore(calibrationStore, (state) => isUnderWay(state.status));
  const exporting = useStore(exportStore, (state) => isExporting(state.status));
  const busy = calibrating || exporting;
  const { label, pending, error } = useCheckpointQuery();
  const failure = useSourceFailure();
  return (
    <Panel title="Model" aside={summary?.architectureLabel}>
      {summary === null ? (
        <p>{pending ? `Reading the headers of ${label ?? 'the checkpoint'}…` : null}</p>
      ) : (
        <>
          <p className={styles.name}>{spec?.kind === 'hub' ? spec.hub.repo : summary.label}</p>
          {spec?.descriptor === undefined ? null : <p className={styles.own}>Read by a descriptor of your own.</p>}
          <Facts facts={modelFacts(summary)} />
          {spec?.kind === 'hub' ? <HubFacts hub={spec.hub} /> : null}
        </>
      )}
      {error === null ? null : <Notice tone="error" message={error.message} nextStep={error.nextStep} />}
      {failure === null ? null : (
        <Notice
          tone="warning"
          message={`${spec?.label ?? 'The model'} no longer gives the bytes that were opened.`}
          nextStep={
            spec?.kind === 'files' ? 'Choose or drop its files anew.' : 'Read its headers anew before you go on.'
          }
        />
      )}
      <div className={styles.actions}>
        <OpenAgain error={error ?? failure} disabled={busy || pending} />
        <OpenButtons disabled={busy || pending} />
        <InspectButton error={error} disabled={busy || pending} />
      </div>
    </Panel>
  );
}
