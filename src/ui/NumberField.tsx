import { useId, useState } from 'react';
import styles from './SelectField.module.css';

interface NumberFieldProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly onChange: (value: number) => void;
}

/** A whole number; what is outside the bounds is brought back to them when the field is left. */
export function NumberField({ label, value, min, max, step, onChange }: NumberFieldProps) {
  const id = useId();
  const [draft, setDraft] = useState<string | null>(null);
  const commit = () => {
    const typed = Math.round(Number(draft));
    if (draft !== null && draft.trim() !== '' && Number.isFinite(typed)) onChange(Math.min(max, Math.max(min, typed)));
    setDraft(null);
  };
  return (
    <div className={styles.stacked}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className={styles.select}
        type="number"
        inputMode="numeric"
        min={min}
        max={max}
        step={step}
        value={draft ?? value}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === 'Enter') commit();
        }}
      />
    </div>
  );
}
