import { useRef } from 'react';
import { useStore } from 'zustand';
import { refuse } from '../../stores/checkpoint-actions.ts';
import {
  adoptDescriptor,
  cancelLayerTest,
  forgetDescriptor,
  saveDescriptor,
  takeDescriptorFile,
  testOneLayer,
} from '../../stores/inspector-actions.ts';
import { inspectorStore } from '../../stores/inspector-store.ts';
import { Button } from '../../ui/Button.tsx';
import { CopyAs } from './CopyAs.tsx';
import styles from './Inspector.module.css';

/** What can be done with the descriptor as it stands. */
export function InspectorActions() {
  const ready = useStore(inspectorStore, (state) => state.descriptor !== null);
  const testing = useStore(inspectorStore, (state) => state.test.status === 'running');
  const opening = useStore(inspectorStore, (state) => state.opening);
  const kept = useStore(inspectorStore, (state) => state.kept);
  return (
    <div className={styles.actions}>
      {testing ? (
        <Button onClick={() => void cancelLayerTest()}>Cancel test</Button>
      ) : (
        <Button disabled={!ready || opening} onClick={() => void testOneLayer()}>
          Test on one layer
        </Button>
      )}
      <Button look="primary" disabled={!ready || opening} onClick={() => void adoptDescriptor()}>
        Use this descriptor
      </Button>
      <Button disabled={!ready} onClick={() => void saveDescriptor()}>
        Save descriptor
      </Button>
      {kept ? <Button onClick={forgetDescriptor}>Forget</Button> : null}
      <DescriptorFile />
      <CopyAs disabled={!ready} />
    </div>
  );
}

function DescriptorFile() {
  const input = useRef<HTMLInputElement>(null);
  const take = async (file: File) => {
    try {
      await takeDescriptorFile(file);
    } catch (error) {
      refuse(error);
    }
  };
  return (
    <>
      <Button onClick={() => input.current?.click()}>Open descriptor</Button>
      <input
        ref={input}
        type="file"
        hidden
        accept=".json,application/json"
        aria-label="Descriptor file"
        onChange={(event) => {
          const file = event.target.files?.[0];
          if (file !== undefined) void take(file);
          event.target.value = '';
        }}
      />
    </>
  );
}
