import { lazy, Suspense } from 'react';
import { useStore } from 'zustand';
import { askForRepo, hubStore } from '../../stores/hub-store.ts';
import { Button } from '../../ui/Button.tsx';

const RepoDialog = lazy(() => import('./RepoDialog.tsx').then((module) => ({ default: module.RepoDialog })));

interface RepoButtonProps {
  readonly size: 'normal' | 'large';
  readonly disabled: boolean;
}

/** The way in to a repository of the hub, with its dialog while that is asked for. */
export function RepoButton({ size, disabled }: RepoButtonProps) {
  const request = useStore(hubStore, (state) => state.request);
  return (
    <>
      <Button size={size} disabled={disabled} aria-haspopup="dialog" onClick={() => askForRepo()}>
        Open repo
      </Button>
      {request === null ? null : (
        <Suspense fallback={null}>
          <RepoDialog request={request} />
        </Suspense>
      )}
    </>
  );
}
