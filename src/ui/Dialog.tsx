import { type ReactNode, useId, useLayoutEffect, useRef } from 'react';
import styles from './Dialog.module.css';

interface DialogProps {
  readonly title: string;
  /** Asked for by Escape or by the browser; the dialog goes when it is no longer drawn. */
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A modal dialog over the page. Focus goes to its first field, and back to where it was when the dialog goes. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useLayoutEffect(() => {
    const dialog = element.current;
    if (dialog === null) return;
    dialog.showModal();
    // While it is still in the page: a dialog that is taken out open leaves the focus nowhere.
    return () => dialog.close();
  }, []);
  return (
    <dialog
      ref={element}
      className={styles.dialog}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClose={({ currentTarget }) => {
        // Chromium closes at a second Escape whatever `cancel` was answered.
        if (currentTarget.isConnected && !currentTarget.open) onClose();
      }}
    >
      <h2 id={titleId} className={styles.title}>
        {title}
      </h2>
      {children}
    </dialog>
  );
}
