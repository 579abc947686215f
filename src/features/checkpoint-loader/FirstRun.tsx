import { Notice } from '../../ui/Notice.tsx';
import { FilesButton } from './FilesButton.tsx';
import styles from './FirstRun.module.css';
import { InspectButton } from './InspectButton.tsx';
import { OpenAgain } from './OpenAgain.tsx';
import { OpenButtons } from './OpenButtons.tsx';
import { OpenedBefore } from './OpenedBefore.tsx';
import { useCheckpointQuery } from './use-checkpoint-query.ts';

const STEPS = [
  ['Open', 'A folder with config.json and .safetensors files, or a repository of the hub. Only headers are read.'],
  ['Calibrate', 'Text runs through the model, and every expert’s contribution is measured.'],
  ['Prune', 'Drag one slider. See which experts go, and what that saves.'],
  ['Export', 'A smaller checkpoint in the same format, and the plan it was made by.'],
] as const;

/** What the page shows before a checkpoint is open. */
export function FirstRun() {
  const { label, pending, error } = useCheckpointQuery();
  return (
    <main className={styles.page}>
      <div className={styles.hero}>
        <h1 className={styles.title}>See which experts earn their place. Cut the rest.</h1>
        <p className={styles.lead}>
          REAP Studio prunes Mixture-of-Experts checkpoints in your browser. Your models and texts stay on this machine;
          a hub is asked for a model’s own bytes only when you open one of its repositories.
        </p>
        <div className={styles.actions}>
          <OpenButtons large disabled={pending} />
        </div>
        <div className={styles.hint}>
          <p aria-live="polite">
            {pending
              ? `Reading the headers of ${label ?? 'the checkpoint'}…`
              : 'Or drop a checkpoint folder anywhere on this page.'}
          </p>
          <FilesButton disabled={pending} />
        </div>
        {error === null ? null : (
          <div className={styles.error}>
            <Notice tone="error" message={error.message} nextStep={error.nextStep} />
            <InspectButton error={error} />
            <OpenAgain error={error} />
          </div>
        )}
        <OpenedBefore disabled={pending} />
      </div>
      <ol className={styles.steps}>
        {STEPS.map(([name, text], index) => (
          <li key={name} className={styles.step}>
            <span className={styles.number} aria-hidden>
              {index + 1}
            </span>
            <h2>{name}</h2>
            <p>{text}</p>
          </li>
        ))}
      </ol>
      <p className={styles.facts}>
        Reads Mixture-of-Experts checkpoints of 21 families and works out others. The demo is a real model of 14.8 M
        parameters with 8 layers of 32 experts; it is 30 MB.
      </p>
    </main>
  );
}
