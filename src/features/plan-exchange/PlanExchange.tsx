import { lazy, Suspense, useRef, useState, useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import { type CommandLine, presentCommand } from '../../stores/command-line.ts';
import { corpusStore } from '../../stores/corpus-store.ts';
import { subscribeDerived } from '../../stores/derived.ts';
import { openChosenPlan } from '../../stores/plan-opening.ts';
import { Button } from '../../ui/Button.tsx';
import { OpenedPlan } from './OpenedPlan.tsx';
import styles from './PlanExchange.module.css';

const CommandDialog = lazy(() => import('./CommandDialog.tsx').then((module) => ({ default: module.CommandDialog })));

/** The ways of a plan into the page, and of the work out of it as a command. */
export function PlanExchange() {
  const input = useRef<HTMLInputElement>(null);
  const [command, setCommand] = useState<CommandLine | null>(null);
  useStore(corpusStore, (state) => state.bundled.size + state.own.length);
  const possible = useSyncExternalStore(subscribeDerived, isCommandPossible);
  return (
    <div className={styles.exchange}>
      <OpenedPlan />
      <div className={styles.actions}>
        <Button look="quiet" onClick={() => input.current?.click()}>
          Open plan
        </Button>
        <input
          ref={input}
          type="file"
          hidden
          accept=".json,.pt,.pth"
          aria-label="Plan or statistics file"
          onChange={(event) => {
            const [file] = event.target.files ?? [];
            if (file !== undefined) void openChosenPlan(file);
            event.target.value = '';
          }}
        />
        <Button
          look="quiet"
          disabled={!possible}
          title={possible ? undefined : 'Choose text to calibrate on, or open a plan, first.'}
          onClick={() => setCommand(presentCommand())}
        >
          Copy as command
        </Button>
      </div>
      {command === null ? null : (
        <Suspense>
          <CommandDialog command={command} onClose={() => setCommand(null)} />
        </Suspense>
      )}
    </div>
  );
}

function isCommandPossible(): boolean {
  return presentCommand() !== null;
}
