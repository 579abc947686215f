import { useRef, useState } from 'react';
import { useStore } from 'zustand';
import { addOwnTexts, corpusStore } from '../../stores/corpus-store.ts';
import { Button } from '../../ui/Button.tsx';
import styles from './CorpusPanel.module.css';
import { DatasetForm } from './DatasetForm.tsx';
import { OwnTextRow } from './OwnTextRow.tsx';
import { PasteForm } from './PasteForm.tsx';

/** Text that the person brings: files, pasted, or data sets of the hub. */
export function OwnTexts() {
  const own = useStore(corpusStore, (state) => state.own);
  const [form, setForm] = useState<'none' | 'paste' | 'dataset'>('none');
  const input = useRef<HTMLInputElement>(null);
  const addFiles = (files: FileList | null) => {
    addOwnTexts([...(files ?? [])].map((file) => ({ name: file.name, text: { kind: 'file', file }, size: file.size })));
  };
  const close = () => setForm('none');
  return (
    <div className={styles.own}>
      {own.length === 0 ? null : (
        <ul aria-label="Your text">
          {own.map((text) => (
            <OwnTextRow key={text.id} text={text} />
          ))}
        </ul>
      )}
      {form === 'paste' ? <PasteForm onClose={close} /> : null}
      {form === 'dataset' ? <DatasetForm onClose={close} /> : null}
      {form === 'none' ? (
        <div className={styles.ownActions}>
          <Button onClick={() => input.current?.click()}>Add text files</Button>
          <Button onClick={() => setForm('paste')}>Paste text</Button>
          <Button onClick={() => setForm('dataset')}>Hub dataset</Button>
        </div>
      ) : null}
      <input
        ref={input}
        type="file"
        hidden
        multiple
        accept=".txt,.md,.jsonl,.ndjson,.parquet,.json"
        aria-label="Text files"
        onChange={(event) => {
          addFiles(event.target.files);
          event.target.value = '';
        }}
      />
    </div>
  );
}
