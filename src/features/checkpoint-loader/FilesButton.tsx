import { useRef } from 'react';
import { changeSource, refuse } from '../../stores/checkpoint-actions.ts';
import { Button } from '../../ui/Button.tsx';
import styles from './FirstRun.module.css';
import { checkpointSource, looseFiles } from './folder-files.ts';

/** For a checkpoint whose files lie among others: they are chosen one by one. */
export function FilesButton({ disabled }: { readonly disabled: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button look="quiet" className={styles.files} disabled={disabled} onClick={() => input.current?.click()}>
        Choose files
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        aria-label="Checkpoint files"
        onChange={(event) => {
          const files = [...(event.target.files ?? [])];
          event.target.value = '';
          if (files.length === 0) return;
          try {
            changeSource(checkpointSource(looseFiles(files)));
          } catch (error) {
            refuse(error);
          }
        }}
      />
    </>
  );
}
