import { useStore } from 'zustand';
import type { WireError } from '../../core/base/errors.ts';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { isInspectable, openInspector } from '../../stores/inspector-open.ts';
import { Button } from '../../ui/Button.tsx';

interface InspectButtonProps {
  /** Why the chosen model could not be opened, null for one that was. */
  readonly error: WireError | null;
  readonly disabled?: boolean;
}

/** Leads to the inspector: for a model that is open, or one that another descriptor could open. */
export function InspectButton({ error, disabled = false }: InspectButtonProps) {
  const source = useStore(checkpointStore, (state) => state.source);
  const opened = useStore(checkpointStore, (state) => state.summary !== null);
  const refusal = error !== null && isInspectable(error) ? error : null;
  if (source === null || (!opened && refusal === null)) return null;
  return (
    <Button disabled={disabled} onClick={() => void openInspector(source, opened ? null : refusal)}>
      Inspect
    </Button>
  );
}
