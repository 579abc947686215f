import { useId } from 'react';
import styles from './SegmentedControl.module.css';

interface SegmentedControlProps<Id extends string> {
  readonly label: string;
  readonly value: Id;
  readonly choices: readonly { readonly id: Id; readonly label: string }[];
  readonly onChange: (id: Id) => void;
}

/** A few choices of which one holds: radio buttons in a row. */
export function SegmentedControl<Id extends string>({ label, value, choices, onChange }: SegmentedControlProps<Id>) {
  const name = useId();
  return (
    <fieldset className={styles.group}>
      <legend className="visually-hidden">{label}</legend>
      {choices.map((choice) => (
        <label key={choice.id} className={styles.choice}>
          <input
            type="radio"
            name={name}
            className={styles.input}
            checked={choice.id === value}
            onChange={() => onChange(choice.id)}
          />
          <span>{choice.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
