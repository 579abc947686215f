import { useEffect, useRef } from 'react';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { hideVerification } from '../../stores/verify-store.ts';
import { Button } from '../../ui/Button.tsx';
import styles from './Verification.module.css';
import { VerifyForm } from './VerifyForm.tsx';
import { VerifyOutcome } from './VerifyOutcome.tsx';

/** Tells whether an exported folder is what the export wrote, byte for byte. */
export function Verification() {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  // A model that is opened meanwhile, by a drop, is what the person wants to see.
  useEffect(
    () =>
      checkpointStore.subscribe(({ source }, former) => {
        if (source?.id !== former.source?.id) hideVerification();
      }),
    [],
  );
  return (
    <main className={styles.page}>
      <header className={styles.header}>
        <h1 ref={heading} tabIndex={-1} className={styles.title}>
          Verify a pruned model
        </h1>
        <Button onClick={hideVerification}>Back</Button>
      </header>
      <p className={styles.lead}>
        Every byte of an exported folder is read and held against the plan and the hashes that lie in it; with the
        unpruned model open, also against the bytes that it was made from. Nothing is written.
      </p>
      <VerifyForm />
      <VerifyOutcome />
    </main>
  );
}
