import { useRef, useState } from 'react';
import { useStore } from 'zustand';
import { addOwnTexts, corpusStore, removeOwnText } from '../../stores/corpus-store.ts';
import { Button } from '../../ui/Button.tsx';
import { formatBytes } from '../../ui/number-format.ts';
import styles from './CorpusPanel.module.css';

/** Text that the person brings: files, or pasted. */
export function OwnTexts() {
  const own = useStore(corpusStore, (state) => state.own);
  const [pasting, setPasting] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const addFiles = (files: FileList | null) => {
    addOwnTexts([...(files ?? [])].map((file) => ({ name: file.name, text: { kind: 'file', file }, size: file.size })));
  };
  return (
    <div className={styles.own}>
      {own.length === 0 ? null : (
        <ul aria-label="Your text">
          {own.map(({ name, size }) => (
            <li key={name} className={styles.ownRow}>
              <span className={styles.ownName}>{name}</span>
              <span className={styles.ownSize}>{formatBytes(size)}</span>
              <Button look="quiet" aria-label={`Remove ${name}`} onClick={() => removeOwnText(name)}>
                Remove
              </Button>
            </li>
          ))}
        </ul>
      )}
      {pasting ? (
        <PasteForm onClose={() => setPasting(false)} />
      ) : (
        <div className={styles.ownActions}>
          <Button onClick={() => input.current?.click()}>Add text files</Button>
          <Button onClick={() => setPasting(true)}>Paste text</Button>
        </div>
      )}
      <input
        ref={input}
        type="file"
        hidden
        multiple
        accept=".txt,.md,.jsonl,.ndjson,.json"
        aria-label="Text files"
        onChange={(event) => {
          addFiles(event.target.files);
          event.target.value = '';
        }}
      />
    </div>
  );
}

function PasteForm({ onClose }: { readonly onClose: () => void }) {
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
