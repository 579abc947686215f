import { useCallback, useEffect, useRef, useState } from 'react';
import { toWireError, type WireError } from '../../core/base/errors.ts';
import { cancelOpening, openRepo, type TypedRepo } from '../../stores/hub-actions.ts';
import { closeRepoDialog, type RepoRequest } from '../../stores/hub-store.ts';
import { wantsToken } from './source-errors.ts';
import { useCheckpointQuery } from './use-checkpoint-query.ts';

/** `finding`: the hub is asked for the repository; `reading`: its headers are read. */
type Phase = 'idle' | 'finding' | 'reading';

interface RepoOpening {
  readonly phase: Phase;
  readonly error: WireError | null;
  readonly open: (typed: TypedRepo) => void;
  /** Gives up what is under way and closes the dialog. */
  readonly cancel: () => void;
}

/** The way from a name to an open model. The dialog stays until the model is open, or the page itself says what is wrong. */
export function useRepoOpening(request: RepoRequest): RepoOpening {
  const [phase, setPhase] = useState<Phase>('idle');
  const [error, setError] = useState<WireError | null>(null);
  const { error: readingError } = useCheckpointQuery();
  const control = useRef<AbortController | null>(null);

  const open = useCallback(async (typed: TypedRepo) => {
    control.current = new AbortController();
    const { signal } = control.current;
    setError(null);
    setPhase('finding');
    try {
      await openRepo(typed, signal);
      setPhase('reading');
    } catch (failure) {
      if (signal.aborted) return;
      setPhase('idle');
      setError(toWireError(failure));
    }
  }, []);

  useEffect(() => {
    if (request.submit) void open({ ...request, token: '' });
    return () => control.current?.abort();
  }, [request, open]);

  useEffect(() => {
    if (phase !== 'reading' || readingError === null) return;
    if (wantsToken(readingError)) {
      setPhase('idle');
      setError(readingError);
    } else {
      closeRepoDialog();
    }
  }, [phase, readingError]);

  const cancel = () => {
    if (phase === 'reading') void cancelOpening();
    closeRepoDialog();
  };
  return { phase, error, open: (typed) => void open(typed), cancel };
}
