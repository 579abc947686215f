import { type ReactNode, type Ref, useId } from 'react';
import styles from './TextField.module.css';

interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Below the field, read with it. */
  readonly hint?: ReactNode;
  /** `secret` shows dots, and the browser is asked not to keep it. */
  readonly kind?: 'plain' | 'secret' | 'url';
  readonly placeholder?: string;
  readonly disabled?: boolean;
  readonly invalid?: boolean;
  readonly ref?: Ref<HTMLInputElement>;
}

const TYPES = { plain: 'text', secret: 'password', url: 'url' } as const;

/** A line of text with its label above. */
export function TextField(props: TextFieldProps) {
  const { label, value, onChange, hint, kind = 'plain', placeholder, disabled, invalid = false, ref } = props;
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input
        ref={ref}
        id={id}
        className={styles.input}
        type={TYPES[kind]}
        value={value}
        placeholder={placeholder}
        disabled={disabled}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        aria-invalid={invalid || undefined}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChange(event.target.value)}
      />
      {hint === undefined ? null : (
        <p id={`${id}-hint`} className={styles.hint}>
          {hint}
        </p>
      )}
    </div>
  );
}
