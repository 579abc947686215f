import { useMemo, useState } from 'react';
import { useStore } from 'zustand';
import type { Architecture } from '../../core/architectures/descriptor.ts';
import { inspectorLines, needsLook } from '../../stores/inspector-lines.ts';
import { inspectorStore } from '../../stores/inspector-store.ts';
import { Notice } from '../../ui/Notice.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { SegmentedControl } from '../../ui/SegmentedControl.tsx';
import { DescriptorLine } from './DescriptorLine.tsx';
import styles from './DescriptorLines.module.css';
import { STANDING } from './standing-words.ts';

type Filter = 'look' | 'all';

/** The descriptor, a field a line; first those that a person should look at. */
export function DescriptorLines({ descriptor }: { readonly descriptor: Architecture }) {
  const proposal = useStore(inspectorStore, (state) => state.proposal);
  const lines = useMemo(() => inspectorLines(descriptor, proposal), [descriptor, proposal]);
  const [filter, setFilter] = useState<Filter>('look');
  const toLook = lines.filter(needsLook);
  const shown = filter === 'look' ? toLook : lines;
  return (
    <Panel
      title="Descriptor"
      aside={
        <SegmentedControl
          label="Lines shown"
          value={filter}
          choices={[
            { id: 'look', label: `Needs a look (${toLook.length})` },
            { id: 'all', label: `All (${lines.length})` },
          ]}
          onChange={setFilter}
        />
      }
    >
      <p className={styles.legend}>
        Values are JSON; a change holds when you leave the line. {STANDING.uncertain.word}:{' '}
        {STANDING.uncertain.meaning.toLowerCase()}
      </p>
      {proposal !== null && proposal.unexplained.length > 0 ? (
        <Notice
          tone="warning"
          message={`No line explains these tensors: ${proposal.unexplained.join(', ')}.`}
          nextStep='Name them in "tensors", or in "ignored" when calibration does not need them.'
        />
      ) : null}
      {proposal !== null && proposal.unreadKeys.length > 0 ? (
        <Notice
          tone="warning"
          message={`No line reads these members of config.json: ${proposal.unreadKeys.join(', ')}.`}
          nextStep="Look them up in the modelling source: one that changes the forward pass needs a line."
        />
      ) : null}
      {shown.length === 0 ? <p>No line needs a look.</p> : null}
      <ul className={styles.lines} aria-label="Lines of the descriptor">
        {shown.map((line) => (
          <DescriptorLine key={line.field} line={line} />
        ))}
      </ul>
    </Panel>
  );
}
