import { type CopyForm, copyDescriptor } from '../../stores/inspector-actions.ts';
import { Button } from '../../ui/Button.tsx';
import styles from './Inspector.module.css';

const FORMS: readonly { readonly id: CopyForm; readonly label: string }[] = [
  { id: 'descriptor', label: 'Studio descriptor' },
  { id: 'attributes', label: 'MODEL_ATTRS entry' },
  { id: 'observer', label: 'Observer configuration' },
];

/** The forms in which a descriptor goes to the clipboard: the studio's, and the two of the reference implementation. */
export function CopyAs({ disabled }: { readonly disabled: boolean }) {
  return (
    <fieldset className={styles.copy}>
      <legend>Copy as</legend>
      {FORMS.map(({ id, label }) => (
        <Button key={id} look="quiet" disabled={disabled} onClick={() => void copyDescriptor(id, label)}>
          {label}
        </Button>
      ))}
    </fieldset>
  );
}
