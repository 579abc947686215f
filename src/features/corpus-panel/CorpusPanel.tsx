import { useStore } from 'zustand';
import { calibrationStore, isUnderWay } from '../../stores/calibration-store.ts';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { corpusStore } from '../../stores/corpus-store.ts';
import { Panel } from '../../ui/Panel.tsx';
import { AdvancedSettings } from './AdvancedSettings.tsx';
import { BundledDomains } from './BundledDomains.tsx';
import styles from './CorpusPanel.module.css';
import { DemoNote } from './DemoNote.tsx';
import { OwnTexts } from './OwnTexts.tsx';

/** What text the experts are judged by. */
export function CorpusPanel() {
  const busy = useStore(calibrationStore, (state) => isUnderWay(state.status));
  const domains = useStore(corpusStore, (state) => state.bundled.size + state.own.length);
  const isDemo = useStore(checkpointStore, (state) => state.source?.spec.kind === 'http');
  return (
    <Panel
      title="Calibration text"
      aside={domains === 0 ? 'None chosen' : `${domains} ${domains === 1 ? 'domain' : 'domains'}`}
    >
      <fieldset className={styles.form} disabled={busy}>
        <legend className="visually-hidden">Text to calibrate on</legend>
        <BundledDomains />
        <OwnTexts />
        {isDemo ? <DemoNote /> : null}
        <AdvancedSettings />
      </fieldset>
    </Panel>
  );
}
