import { useStore } from 'zustand';
import type { WireError } from '../../core/base/errors.ts';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { askForRepo } from '../../stores/hub-store.ts';
import { openAgain } from '../../stores/remembered-actions.ts';
import { Button } from '../../ui/Button.tsx';
import { mayHelpToOpenAgain, wantsToken } from './source-errors.ts';

interface OpenAgainProps {
  /** Why the chosen source gave no bytes, null when it did. */
  readonly error: WireError | null;
  readonly disabled?: boolean;
}

/** After a failure of the source itself: reads it anew, or asks for the token that it wants. */
export function OpenAgain({ error, disabled = false }: OpenAgainProps) {
  const spec = useStore(checkpointStore, (state) => state.source?.spec);
  if (error === null || spec === undefined) return null;
  if (spec.kind === 'hub' && wantsToken(error)) {
    const { label: name, hub } = spec;
    return (
      <Button disabled={disabled} onClick={() => askForRepo({ name, endpoint: hub.endpoint })}>
        Give a token
      </Button>
    );
  }
  if (spec.kind === 'files' || !mayHelpToOpenAgain(error)) return null;
  return (
    <Button disabled={disabled} onClick={() => void openAgain()}>
      Open again
    </Button>
  );
}
