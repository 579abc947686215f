import { useQuery } from '@tanstack/react-query';
import { useStore } from 'zustand';
import { toWireError, type WireError } from '../../core/base/errors.ts';
import { openSource } from '../../stores/checkpoint-actions.ts';
import { checkpointStore } from '../../stores/checkpoint-store.ts';

interface Opening {
  readonly label: string | null;
  readonly pending: boolean;
  readonly error: WireError | null;
}

/** Opens the chosen source once, whoever asks; its facts arrive in the checkpoint store. */
export function useCheckpointQuery(): Opening {
  const source = useStore(checkpointStore, (state) => state.source);
  const refusal = useStore(checkpointStore, (state) => state.refusal);
  const query = useQuery({
    queryKey: ['checkpoint', source?.id],
    queryFn: () => (source === null ? null : openSource(source)),
    enabled: source !== null,
  });
  const error = refusal ?? (query.error === null ? null : toWireError(query.error));
  return { label: source?.spec.label ?? null, pending: query.isFetching, error };
}
