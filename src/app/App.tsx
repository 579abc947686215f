import { lazy, Suspense } from 'react';
import { ErrorBoundary } from 'react-error-boundary';
import { useStore } from 'zustand';
import { DropTarget } from '../features/checkpoint-loader/DropTarget.tsx';
import { FirstRun } from '../features/checkpoint-loader/FirstRun.tsx';
import { VerifyButton } from '../features/verify-panel/VerifyButton.tsx';
import { checkpointStore } from '../stores/checkpoint-store.ts';
import { inspectorStore } from '../stores/inspector-store.ts';
import { planStore } from '../stores/plan-store.ts';
import { verifyStore } from '../stores/verify-store.ts';
import styles from './App.module.css';
import { Header } from './Header.tsx';
import { RegionFailure } from './RegionFailure.tsx';

const Workspace = lazy(() => import('./Workspace.tsx').then((module) => ({ default: module.Workspace })));
const Inspector = lazy(() =>
  import('../features/inspector/Inspector.tsx').then((module) => ({ default: module.Inspector })),
);
const WaitingPlan = lazy(() =>
  import('../features/plan-exchange/WaitingPlan.tsx').then((module) => ({ default: module.WaitingPlan })),
);
const Verification = lazy(() =>
  import('../features/verify-panel/Verification.tsx').then((module) => ({ default: module.Verification })),
);

/** The first screen until a checkpoint was opened, the workspace from then on; the inspector or a verification in their place when it is asked for. */
export function App() {
  const everOpened = useStore(checkpointStore, (state) => state.everOpened);
  const inspecting = useStore(inspectorStore, (state) => state.source !== null);
  const waits = useStore(planStore, (state) => state.opened !== null);
  const verifying = useStore(verifyStore, (state) => state.shown);
  return (
    <DropTarget>
      <div className={everOpened || inspecting || verifying ? styles.workspace : styles.first}>
        <Header />
        <ErrorBoundary FallbackComponent={RegionFailure}>
          {verifying ? (
            <Suspense fallback={<main className={styles.waiting}>Opening the verification…</main>}>
              <Verification />
            </Suspense>
          ) : inspecting ? (
            <Suspense fallback={<main className={styles.waiting}>Opening the inspector…</main>}>
              <Inspector />
            </Suspense>
          ) : everOpened ? (
            <Suspense fallback={<main className={styles.waiting}>Opening the workspace…</main>}>
              <Workspace />
            </Suspense>
          ) : (
            <>
              <FirstRun />
              <footer className={styles.foot}>
                {waits ? (
                  <Suspense>
                    <WaitingPlan />
                  </Suspense>
                ) : null}
                <VerifyButton />
              </footer>
            </>
          )}
        </ErrorBoundary>
      </div>
    </DropTarget>
  );
}
