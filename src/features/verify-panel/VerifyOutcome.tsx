import { useStore } from 'zustand';
import type { VerifyReport } from '../../core/protocol/export-protocol.ts';
import { saveVerification } from '../../stores/verify-actions.ts';
import { verifyStore } from '../../stores/verify-store.ts';
import { Button } from '../../ui/Button.tsx';
import { type Fact, Facts } from '../../ui/Facts.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { formatBytes, formatWhole } from '../../ui/number-format.ts';
import { ProgressBar } from '../../ui/ProgressBar.tsx';
import styles from './Verification.module.css';
import { problemGroups, verdict } from './verdict.ts';

/** How the verification stands: at work, refused, or its report. */
export function VerifyOutcome() {
  const status = useStore(verifyStore, (state) => state.status);
  const error = useStore(verifyStore, (state) => state.error);
  if (error !== null) return <Notice tone="error" message={error.message} nextStep={error.nextStep} />;
  if (status === 'running' || status === 'cancelling') return <Reading cancelling={status === 'cancelling'} />;
  if (status === 'cancelled')
    return <Notice tone="plain" message="The verification was cancelled. Nothing can be said about the folder." />;
  return <Report />;
}

function Reading({ cancelling }: { readonly cancelling: boolean }) {
  const progress = useStore(verifyStore, (state) => state.progress);
  const total = progress?.bytesTotal ?? 0;
  const fraction = progress === null || total === 0 ? 0 : progress.bytesDone / total;
  const words =
    progress === null
      ? 'Reading headers'
      : `${progress.file}, ${formatBytes(progress.bytesDone)} of ${formatBytes(total)}`;
  return (
    <div className={styles.state}>
      <ProgressBar label="Verification" fraction={fraction} valueText={`${Math.round(fraction * 100)} %, ${words}`} />
      <p className={styles.words}>{cancelling ? 'Cancelling' : words}</p>
    </div>
  );
}

/** What the hub that the unpruned model came from published of its files, where the export recorded that. */
function publishedFacts({ publishedFiles, sourceFiles }: VerifyReport): readonly Fact[] {
  if (publishedFiles === 0) return [];
  return [
    [
      'Published hashes',
      `${formatWhole(sourceFiles)} of ${formatWhole(publishedFiles)} source files held against them`,
    ],
  ];
}

function Report() {
  const result = useStore(verifyStore, (state) => state.result);
  if (result === null) return null;
  const { report, folder, source } = result;
  const right = report.problems.length === 0;
  return (
    <section className={styles.report} aria-label="Report">
      <div role="status" aria-label="Verification result" className={right ? styles.right : styles.wrong}>
        <p className={styles.verdict}>{right ? 'Right' : 'Wrong'}</p>
        <p>{verdict(report, folder.label, source?.label ?? null)}</p>
      </div>
      <Facts
        facts={[
          ['Files', formatWhole(report.files)],
          ['Tensors', formatWhole(report.tensors)],
          ['Bytes read', formatBytes(report.bytes)],
          ['Held against', report.comparedWithSource ? 'Plan, hashes and the unpruned model' : 'Plan and hashes'],
          ...publishedFacts(report),
          ['Problems', formatWhole(report.problems.length)],
        ]}
      />
      {problemGroups(report.problems).map(({ file, messages, more }) => (
        <div key={file} className={styles.group}>
          <h2>{file === '' ? 'The folder as a whole' : file}</h2>
          <ul>
            {messages.map((message) => (
              <li key={message}>{message}</li>
            ))}
          </ul>
          {more > 0 ? (
            <p className={styles.words}>And {formatWhole(more)} more: all of them are in the report.</p>
          ) : null}
        </div>
      ))}
      <div className={styles.actions}>
        <Button onClick={saveVerification}>Download report</Button>
      </div>
    </section>
  );
}
