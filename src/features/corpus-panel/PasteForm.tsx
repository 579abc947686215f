import { useState } from 'react';
import { addOwnTexts } from '../../stores/corpus-store.ts';
import { Button } from '../../ui/Button.tsx';
import styles from './CorpusPanel.module.css';

/** Text typed or pasted in. */
export function PasteForm({ onClose }: { readonly onClose: () => void }) {
  const [text, setText] = useState('');
  const add = () => {
    addOwnTexts([{ name: 'pasted text', text: { kind: 'text', text }, size: new Blob([text]).size }]);
    onClose();
  };
  return (
    <div className={styles.paste}>
      <textarea aria-label="Text to calibrate on" value={text} onChange={(event) => setText(event.target.value)} />
      <div className={styles.ownActions}>
        <Button disabled={text.trim() === ''} onClick={add}>
          Add this text
        </Button>
        <Button look="quiet" onClick={onClose}>
          Close
        </Button>
      </div>
    </div>
  );
}
