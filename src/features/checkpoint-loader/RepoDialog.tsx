import { type FormEvent, useEffect, useRef, useState } from 'react';
import type { RepoRequest } from '../../stores/hub-store.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { TextField } from '../../ui/TextField.tsx';
import styles from './RepoDialog.module.css';
import { wantsToken } from './source-errors.ts';
import { useRepoOpening } from './use-repo-opening.ts';

/** Asks for a repository on a hub and opens it. */
export function RepoDialog({ request }: { readonly request: RepoRequest }) {
  const [name, setName] = useState(request.name);
  const [token, setToken] = useState('');
  const [endpoint, setEndpoint] = useState(request.endpoint);
  const nameField = useRef<HTMLInputElement>(null);
  const tokenField = useRef<HTMLInputElement>(null);
  const cancelButton = useRef<HTMLButtonElement>(null);
  const { phase, error, open, cancel } = useRepoOpening(request);
  const pending = phase !== 'idle';
  const tokenWanted = error !== null && wantsToken(error);

  // Focus follows what can be done next: fields that are at rest let go of it.
  useEffect(() => {
    if (pending) cancelButton.current?.focus();
    else if (error !== null) (wantsToken(error) ? tokenField : nameField).current?.focus();
  }, [pending, error]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!pending) open({ name, endpoint, token });
  };
  return (
    <Dialog title="Open a repository of the hub" onClose={cancel}>
      <form className={styles.form} onSubmit={submit} noValidate>
        <TextField
          ref={nameField}
          label="Repository"
          value={name}
          onChange={setName}
          placeholder="org/name"
          hint="org/name, org/name@revision or an address. Its latest commit is taken; only headers are read now."
          invalid={error !== null && !tokenWanted}
          disabled={pending}
        />
        <TextField
          ref={tokenField}
          kind="secret"
          label="Access token"
          value={token}
          onChange={setToken}
          hint="Only for a private or gated repository. Goes to the hub alone and is forgotten when the page is left."
          invalid={tokenWanted}
          disabled={pending}
        />
        <details className={styles.advanced}>
          <summary>Advanced</summary>
          <TextField
            kind="url"
            label="Endpoint"
            value={endpoint}
            onChange={setEndpoint}
            hint="The hub or a mirror of it. Kept in this browser."
            disabled={pending}
          />
        </details>
        {error === null ? null : <Notice tone="error" message={error.message} nextStep={error.nextStep} />}
        <div className={styles.foot}>
          <p role="status" className={styles.state}>
            {phase === 'finding' ? 'Looking it up…' : phase === 'reading' ? 'Reading its headers…' : ''}
          </p>
          <Button ref={cancelButton} onClick={cancel}>
            Cancel
          </Button>
          <Button type="submit" look="primary" disabled={pending || name.trim() === ''}>
            Open
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
