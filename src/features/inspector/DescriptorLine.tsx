import { memo, useId, useState } from 'react';
import type { WireError } from '../../core/base/errors.ts';
import type { Evidence } from '../../core/inspector/proposal.ts';
import { correctField } from '../../stores/inspector-actions.ts';
import type { InspectorLine } from '../../stores/inspector-lines.ts';
import { Button } from '../../ui/Button.tsx';
import styles from './DescriptorLines.module.css';
import { STANDING } from './standing-words.ts';

/** One line of the descriptor: its value to correct in place, how sure it is, and what that rests on. */
export const DescriptorLine = memo(function DescriptorLine({ line }: { readonly line: InspectorLine }) {
  const { field, text, standing, evidence, choices } = line;
  const id = useId();
  const [draft, setDraft] = useState<string | null>(null);
  const [error, setError] = useState<WireError | null>(null);
  const { icon, word } = STANDING[standing];

  const commit = async (value: string) => {
    const problem = value.trim() === text ? null : await correctField(field, value);
    setError(problem);
    setDraft(problem === null ? null : value);
  };
  const discard = () => {
    setDraft(null);
    setError(null);
  };

  return (
    <li className={styles.line}>
      <div className={styles.row}>
        <label className={styles.field} htmlFor={id}>
          {field}
        </label>
        <input
          id={id}
          className={styles.value}
          type="text"
          spellCheck={false}
          autoComplete="off"
          value={draft ?? text}
          aria-invalid={error !== null}
          aria-describedby={error === null ? `${id}-standing` : `${id}-error ${id}-standing`}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={() => {
            if (draft !== null) void commit(draft);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && draft !== null) void commit(draft);
            if (event.key === 'Escape') discard();
          }}
        />
        <span id={`${id}-standing`} className={`${styles.standing} ${styles[standing]}`}>
          <span className={styles.icon} aria-hidden>
            {icon}
          </span>
          <span>{word}</span>
        </span>
      </div>
      {error === null ? null : (
        <p id={`${id}-error`} className={styles.error} role="alert">
          {error.message} {error.nextStep}
        </p>
      )}
      <LineEvidence line={field} evidence={evidence} choices={choices} onChoose={(choice) => void commit(choice)} />
    </li>
  );
});

interface LineEvidenceProps {
  readonly line: string;
  readonly evidence: readonly Evidence[];
  readonly choices: readonly string[];
  readonly onChoose: (choice: string) => void;
}

function LineEvidence({ line, evidence, choices, onChoose }: LineEvidenceProps) {
  return (
    <details className={styles.evidence}>
      <summary>
        Evidence<span className="visually-hidden"> of {line}</span>
      </summary>
      {evidence.length === 0 ? <p>The files show nothing of it.</p> : null}
      <ul>
        {evidence.map(({ kind, text }) => (
          <li key={`${kind} ${text}`}>
            <span className={styles.kind}>{kind}</span> {text}
          </li>
        ))}
      </ul>
      {choices.length === 0 ? null : (
        <p className={styles.choices}>
          Could be
          {choices.map((choice) => (
            <Button key={choice} look="quiet" className={styles.choice} onClick={() => onChoose(choice)}>
              {choice}
            </Button>
          ))}
        </p>
      )}
    </details>
  );
}
