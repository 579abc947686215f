import { type ReactNode, useEffect, useState } from 'react';
import styles from './DropTarget.module.css';
import { takeDrop } from './take-drop.ts';

/** Lets a folder or files be dropped anywhere on the page. */
export function DropTarget({ children }: { readonly children: ReactNode }) {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const onDragOver = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes('Files') !== true) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
      setOver(true);
    };
    const onDragLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const onDrop = (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      if (event.dataTransfer !== null) void takeDrop(event.dataTransfer);
    };
    window.addEventListener('dragover', onDragOver);
    window.addEventListener('dragleave', onDragLeave);
    window.addEventListener('drop', onDrop);
    return () => {
      window.removeEventListener('dragover', onDragOver);
      window.removeEventListener('dragleave', onDragLeave);
      window.removeEventListener('drop', onDrop);
    };
  }, []);
  return (
    <>
      {children}
      {over ? (
        <div className={styles.veil}>
          <p className={styles.sign}>Drop a checkpoint folder, texts to calibrate on, a plan or statistics</p>
        </div>
      ) : null}
    </>
  );
}
