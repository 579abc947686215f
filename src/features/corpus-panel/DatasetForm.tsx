import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useStore } from 'zustand';
import { toWireError } from '../../core/base/errors.ts';
import { addDatasets } from '../../stores/corpus-actions.ts';
import { hubStore } from '../../stores/hub-store.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { TextField } from '../../ui/TextField.tsx';
import styles from './CorpusPanel.module.css';

/** Asks for data sets of the hub and adds them. */
export function DatasetForm({ onClose }: { readonly onClose: () => void }) {
  const [datasets, setDatasets] = useState('');
  const [token, setToken] = useState('');
  const endpoint = useStore(hubStore, (state) => state.endpoint);
  const finding = useMutation({
    mutationFn: () => addDatasets(datasets, token),
    networkMode: 'always',
    onSuccess: onClose,
  });
  const error = finding.error === null ? null : toWireError(finding.error);
  const tokenWanted = error?.code === 'unauthorised' || token !== '';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    finding.mutate();
  };
  return (
    <form className={styles.paste} onSubmit={submit} noValidate>
      <TextField
        label="Hub dataset"
        value={datasets}
        onChange={setDatasets}
        placeholder="org/name[subset](split):1000"
        hint={`The name and how many rows to take, from ${new URL(endpoint).host}; several are joined by commas.`}
        disabled={finding.isPending}
        invalid={error !== null && !tokenWanted}
      />
      {tokenWanted ? (
        <TextField
          kind="secret"
          label="Access token"
          value={token}
          onChange={setToken}
          hint="Goes to the hub alone and is forgotten when the page is left."
          disabled={finding.isPending}
        />
      ) : null}
      {error === null ? null : <Notice tone="error" message={error.message} nextStep={error.nextStep} />}
      <p role="status" className={styles.note}>
        {finding.isPending ? 'Looking it up…' : ''}
      </p>
      <div className={styles.ownActions}>
        <Button type="submit" disabled={finding.isPending || datasets.trim() === ''}>
          Add dataset
        </Button>
        <Button look="quiet" onClick={onClose}>
          Close
        </Button>
      </div>
    </form>
  );
}
