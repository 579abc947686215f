import { useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import { safeFileName } from '../../client/download.ts';
import { calibrationStore } from '../../stores/calibration-store.ts';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { currentSummary, exportablePlan, subscribeDerived } from '../../stores/derived.ts';
import { cancelExport, exportModel, exportPlan, exportStatistics, failExport } from '../../stores/export-actions.ts';
import { type DestinationKind, exportSettings } from '../../stores/export-settings.ts';
import { exportStore, isExporting } from '../../stores/export-store.ts';
import { isVerifying, showVerification, verifyStore } from '../../stores/verify-store.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { SegmentedControl } from '../../ui/SegmentedControl.tsx';
import { destinationsFor } from './destination.ts';
import styles from './ExportPanel.module.css';
import { ExportSettings } from './ExportSettings.tsx';
import { ExportState } from './ExportState.tsx';

const LABELS: Readonly<Record<DestinationKind, string>> = { zip: 'As a zip', directory: 'Into a folder' };

/** Takes the plan and the pruned model out of the page. */
export function ExportPanel() {
  const plan = useSyncExternalStore(subscribeDerived, exportablePlan);
  const bytes = useSyncExternalStore(subscribeDerived, currentSummary)?.bytes.after ?? 0;
  const label = useStore(checkpointStore, (state) => state.summary?.label ?? 'model');
  const calibrated = useStore(calibrationStore, (state) => state.status === 'done');
  const exporting = useStore(exportStore, (state) => isExporting(state.status));
  const verifying = useStore(verifyStore, (state) => isVerifying(state.status));
  const wanted = useStore(exportSettings, (state) => state.destination);
  const kinds = destinationsFor(bytes, 'showDirectoryPicker' in window);
  const kind = kinds.find((other) => other === wanted) ?? kinds[0];

  const start = async () => {
    if (kind === 'zip') {
      const percent = Math.round((plan?.ratio ?? 0) * 100);
      await exportModel({ kind: 'zip', name: `${safeFileName(label)}-pruned-${percent}` });
      return;
    }
    try {
      await exportModel({
        kind: 'directory',
        handle: await window.showDirectoryPicker({ id: 'export', mode: 'readwrite' }),
      });
    } catch (error) {
      // The person closed the picker.
      if (!(error instanceof DOMException && error.name === 'AbortError')) failExport(error);
    }
  };

  return (
    <Panel
      title="Export"
      aside={
        kinds.length > 1 && kind !== undefined ? (
          <SegmentedControl
            label="Where the model goes"
            value={kind}
            choices={kinds.map((id) => ({ id, label: LABELS[id] }))}
            onChange={(destination) => exportSettings.setState({ destination })}
          />
        ) : undefined
      }
    >
      <ExportState calibrated={calibrated} possible={plan !== null} />
      {plan === null || kind === undefined ? null : <ExportSettings kind={kind} bytes={bytes} disabled={exporting} />}
      {kind === undefined ? (
        <Notice
          tone="warning"
          message="The pruned model is too large for a zip, and this browser cannot write into a folder."
          nextStep="Open the studio in Chrome or Edge, or export the plan and use the command line."
        />
      ) : null}
      <div className={styles.actions}>
        <Button disabled={plan === null} onClick={() => void exportPlan()}>
          Export plan
        </Button>
        {exporting ? (
          <Button onClick={() => void cancelExport()}>Cancel export</Button>
        ) : (
          <Button
            look="primary"
            disabled={plan === null || kind === undefined || verifying}
            onClick={() => void start()}
          >
            Export model
          </Button>
        )}
      </div>
      <div className={styles.actions}>
        {calibrated ? (
          <Button look="quiet" onClick={() => void exportStatistics()}>
            Export statistics
          </Button>
        ) : null}
        <Button look="quiet" onClick={() => showVerification()}>
          Verify a pruned model
        </Button>
      </div>
    </Panel>
  );
}
