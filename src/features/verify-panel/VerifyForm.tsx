import { useRef } from 'react';
import { useStore } from 'zustand';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { exportStore, isExporting } from '../../stores/export-store.ts';
import { cancelVerification, failVerification, verifyModel } from '../../stores/verify-actions.ts';
import { chooseVerifyFolder, isVerifying, verifyStore } from '../../stores/verify-store.ts';
import { Button } from '../../ui/Button.tsx';
import { Checkbox } from '../../ui/Checkbox.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { folderOfInput, pickFolder } from './picked-folder.ts';
import styles from './Verification.module.css';

/** What to verify, against what, and the buttons. */
export function VerifyForm() {
  const folder = useStore(verifyStore, (state) => state.folder);
  const withSource = useStore(verifyStore, (state) => state.withSource);
  const sourceHashes = useStore(verifyStore, (state) => state.sourceHashes);
  const status = useStore(verifyStore, (state) => state.status);
  const model = useStore(checkpointStore, (state) => (state.summary === null ? null : state.summary.label));
  const exporting = useStore(exportStore, (state) => isExporting(state.status));
  const busy = isVerifying(status);
  return (
    <div className={styles.form}>
      <div className={styles.actions}>
        <FolderButton disabled={busy} />
        {folder === null ? null : (
          <p className={styles.folder}>
            Folder: <strong>{folder.label}</strong>
          </p>
        )}
      </div>
      {model === null ? (
        <p className={styles.words}>
          No model is open: the folder is held against its own plan and hashes. Open the unpruned model first to hold it
          against that as well.
        </p>
      ) : (
        <>
          <Checkbox
            label={`It was made from the open model, “${model}”: compare every byte with it`}
            checked={withSource}
            disabled={busy}
            onChange={(checked) => verifyStore.setState({ withSource: checked })}
          />
          <Checkbox
            label="Also read that model's files whole, and hold them against the hashes that their hub published"
            checked={withSource && sourceHashes}
            disabled={busy || !withSource}
            onChange={(checked) => verifyStore.setState({ sourceHashes: checked })}
          />
        </>
      )}
      <div className={styles.actions}>
        {busy ? (
          <Button disabled={status === 'cancelling'} onClick={() => void cancelVerification()}>
            Cancel
          </Button>
        ) : (
          <Button look="primary" disabled={folder === null || exporting} onClick={() => void verifyModel()}>
            Verify
          </Button>
        )}
      </div>
      {exporting ? <Notice tone="plain" message="An export is running: verify when it has ended." /> : null}
    </div>
  );
}

function FolderButton({ disabled }: { readonly disabled: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  const choose = async () => {
    if (!('showDirectoryPicker' in window)) {
      input.current?.click();
      return;
    }
    try {
      const folder = await pickFolder();
      if (folder !== null) chooseVerifyFolder(folder);
    } catch (error) {
      failVerification(error);
    }
  };
  return (
    <>
      <Button disabled={disabled} onClick={() => void choose()}>
        Choose the exported folder
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        aria-label="Exported folder"
        {...{ webkitdirectory: '' }}
        onChange={(event) => {
          const { files } = event.target;
          if (files === null || files.length === 0) return;
          try {
            chooseVerifyFolder(folderOfInput(files));
          } catch (error) {
            failVerification(error);
          }
          event.target.value = '';
        }}
      />
    </>
  );
}
