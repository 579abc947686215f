import { useId, useState } from 'react';
import type { Architecture } from '../../core/architectures/descriptor.ts';
import { serialiseDescriptor } from '../../core/architectures/descriptor-file.ts';
import type { WireError } from '../../core/base/errors.ts';
import { takeDescriptorText } from '../../stores/inspector-actions.ts';
import { Button } from '../../ui/Button.tsx';
import styles from './DescriptorLines.module.css';

/** The descriptor as one text, for what a single line cannot change: parts that come or go. */
export function WholeDescriptor({ descriptor }: { readonly descriptor: Architecture }) {
  const id = useId();
  const [draft, setDraft] = useState<string | null>(null);
  const [error, setError] = useState<WireError | null>(null);
  const take = async () => {
    const problem = draft === null ? null : await takeDescriptorText(draft);
    setError(problem);
    if (problem === null) setDraft(null);
  };
  return (
    <details className={styles.whole}>
      <summary>Edit the whole descriptor as JSON</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void take();
        }}
      >
        <label htmlFor={id} className="visually-hidden">
          Descriptor as JSON
        </label>
        <textarea
          id={id}
          className={styles.text}
          spellCheck={false}
          value={draft ?? serialiseDescriptor(descriptor)}
          aria-invalid={error !== null}
          aria-describedby={error === null ? undefined : `${id}-error`}
          onChange={(event) => setDraft(event.target.value)}
        />
        {error === null ? null : (
          <p id={`${id}-error`} className={styles.error} role="alert">
            {error.message} {error.nextStep}
          </p>
        )}
        <Button type="submit" disabled={draft === null}>
          Take over
        </Button>
      </form>
    </details>
  );
}
