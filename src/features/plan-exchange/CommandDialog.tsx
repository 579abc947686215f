import { useEffect, useState } from 'react';
import type { CommandLine } from '../../stores/command-line.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import styles from './PlanExchange.module.css';

interface CommandDialogProps {
  readonly command: CommandLine;
  readonly onClose: () => void;
}

/** Shows the lines that repeat the work, and puts them on the clipboard. */
export function CommandDialog({ command, onClose }: CommandDialogProps) {
  const [copied, setCopied] = useState<boolean | null>(null);
  useEffect(() => {
    navigator.clipboard.writeText(command.text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  }, [command]);
  return (
    <Dialog title="The same on the command line" onClose={onClose}>
      <textarea
        className={styles.command}
        aria-label="Command"
        readOnly
        rows={4}
        value={command.text}
        onFocus={(event) => event.target.select()}
      />
      {command.notes.map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
      <p className={styles.note} role="status">
        {copied === null
          ? ''
          : copied
            ? 'Copied.'
            : 'The browser did not let it be copied: select it and copy it yourself.'}
      </p>
      <div className={styles.dialogActions}>
        <Button look="primary" onClick={onClose}>
          Close
        </Button>
      </div>
    </Dialog>
  );
}
