import { useId } from 'react';
import styles from './SelectField.module.css';

interface Choice {
  readonly id: string;
  readonly label: string;
}

interface SelectFieldProps {
  readonly label: string;
  readonly value: string;
  readonly choices: readonly Choice[];
  readonly onChange: (id: string) => void;
  /** Below the label instead of beside it. */
  readonly stacked?: boolean;
  readonly disabled?: boolean;
}

/** A native select with its label. */
export function SelectField({ label, value, choices, onChange, stacked = false, disabled = false }: SelectFieldProps) {
  const id = useId();
  return (
    <div className={stacked ? styles.stacked : styles.field}>
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        className={styles.select}
        value={value}
        disabled={disabled}
        onChange={(event) => onChange(event.target.value)}
      >
        {choices.map((choice) => (
          <option key={choice.id} value={choice.id}>
            {choice.label}
          </option>
        ))}
      </select>
    </div>
  );
}
