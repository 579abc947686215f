import { useEffect, useRef } from 'react';
import { useStore } from 'zustand';
import { closeInspector, inspectorStore } from '../../stores/inspector-store.ts';
import { Button } from '../../ui/Button.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { blockFacts } from './block-facts.ts';
import { DescriptorLines } from './DescriptorLines.tsx';
import styles from './Inspector.module.css';
import { InspectorActions } from './InspectorActions.tsx';
import { LayerTestResult } from './LayerTestResult.tsx';
import { WholeDescriptor } from './WholeDescriptor.tsx';

/** How a model is built: a proposed descriptor with its evidence, to correct, try and use. */
export function Inspector() {
  const label = useStore(inspectorStore, (state) => state.source?.spec.label ?? '');
  const reading = useStore(inspectorStore, (state) => state.status === 'reading');
  const refusal = useStore(inspectorStore, (state) => state.refusal);
  const block = useStore(inspectorStore, (state) => state.proposal?.block ?? null);
  const descriptor = useStore(inspectorStore, (state) => state.descriptor);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <main className={styles.page}>
      <header className={styles.header}>
        <h1 ref={heading} tabIndex={-1} className={styles.title}>
          How {label} is built
        </h1>
        <Button onClick={closeInspector}>Back</Button>
      </header>
      {refusal === null ? null : (
        <Notice
          tone="warning"
          message={refusal.message}
          nextStep="Below is what the files show. Check the lines that need a look, test one layer, then use the descriptor."
        />
      )}
      {reading ? (
        <p aria-live="polite">Reading config, tensor names and modelling source…</p>
      ) : (
        <>
          <InspectorActions />
          <Outcome />
          <div className={styles.columns}>
            <div className={styles.lines}>
              {descriptor === null ? null : (
                <>
                  <DescriptorLines descriptor={descriptor} />
                  <WholeDescriptor descriptor={descriptor} />
                </>
              )}
            </div>
            {block === null ? null : (
              <Panel title="What the files show">
                <Facts facts={blockFacts(block)} />
              </Panel>
            )}
          </div>
        </>
      )}
    </main>
  );
}

/** What the last action led to. */
function Outcome() {
  const opening = useStore(inspectorStore, (state) => state.opening);
  const notice = useStore(inspectorStore, (state) => state.notice);
  const error = useStore(inspectorStore, (state) => state.error);
  return (
    <div className={styles.outcome}>
      <p role="status" aria-label="Inspector">
        {opening ? 'Opening the model with this descriptor…' : notice}
      </p>
      {error === null ? null : <Notice tone="error" message={error.message} nextStep={error.nextStep} />}
      <LayerTestResult />
    </div>
  );
}
