import { lazy, Suspense } from 'react';
import { ErrorBoundary } from 'react-error-boundary';
import { useStore } from 'zustand';
import { DropTarget } from '../features/checkpoint-loader/DropTarget.tsx';
import { FirstRun } from '../features/checkpoint-loader/FirstRun.tsx';
import { checkpointStore } from '../stores/checkpoint-store.ts';
import { inspectorStore } from '../stores/inspector-store.ts';
import styles from './App.module.css';
import { Header } from './Header.tsx';
import { RegionFailure } from './RegionFailure.tsx';

const Workspace = lazy(() => import('./Workspace.tsx').then((module) => ({ default: module.Workspace })));
const Inspector = lazy(() =>
  import('../features/inspector/Inspector.tsx').then((module) => ({ default: module.Inspector })),
);

/** The first screen until a checkpoint was opened, the workspace from then on; the inspector in their place when it is asked for. */
export function App() {
  const everOpened = useStore(checkpointStore, (state) => state.everOpened);
  const inspecting = useStore(inspectorStore, (state) => state.source !== null);
  return (
    <DropTarget>
      <div className={everOpened || inspecting ? styles.workspace : styles.first}>
        <Header />
        <ErrorBoundary FallbackComponent={RegionFailure}>
          {inspecting ? (
            <Suspense fallback={<main className={styles.waiting}>Opening the inspector…</main>}>
              <Inspector />
            </Suspense>
          ) : everOpened ? (
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
