import { lazy, Suspense } from 'react';
import { ErrorBoundary } from 'react-error-boundary';
import { useStore } from 'zustand';
import { DropTarget } from '../features/checkpoint-loader/DropTarget.tsx';
import { FirstRun } from '../features/checkpoint-loader/FirstRun.tsx';
import { checkpointStore } from '../stores/checkpoint-store.ts';
import styles from './App.module.css';
import { Header } from './Header.tsx';
import { RegionFailure } from './RegionFailure.tsx';

const Workspace = lazy(() => import('./Workspace.tsx').then((module) => ({ default: module.Workspace })));

/** The first screen until a checkpoint was opened, the workspace from then on. */
export function App() {
  const everOpened = useStore(checkpointStore, (state) => state.everOpened);
  return (
    <DropTarget>
      <div className={everOpened ? styles.workspace : styles.first}>
        <Header />
        <ErrorBoundary FallbackComponent={RegionFailure}>
          {everOpened ? (
            <Suspense fallback={<main className={styles.waiting}>Opening the workspace…</main>}>
              <Workspace />
            </Suspense>
          ) : (
            <FirstRun />
          )}
        </ErrorBoundary>
      </div>
    </DropTarget>
  );
}
