import { useStore } from 'zustand';
import { LEAST_MEMORY_BUDGET } from '../../core/calibration/memory-default.ts';
import type { BackendChoice } from '../../core/protocol/calibration-protocol.ts';
import type { GateMode } from '../../core/saliency/statistics-file.ts';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { corpusStore } from '../../stores/corpus-store.ts';
import { Checkbox } from '../../ui/Checkbox.tsx';
import { NumberField } from '../../ui/NumberField.tsx';
import { SelectField } from '../../ui/SelectField.tsx';
import styles from './CorpusPanel.module.css';

const GATES: readonly { readonly id: GateMode; readonly label: string }[] = [
  { id: 'model', label: 'As the model multiplies' },
  { id: 'reference', label: 'As the reference does' },
];

const BACKENDS: readonly { readonly id: BackendChoice; readonly label: string }[] = [
  { id: 'auto', label: 'The fastest that works' },
  { id: 'webgpu', label: 'WebGPU' },
  { id: 'wasm', label: 'WebAssembly' },
];

const LEAST_SEQUENCE = 16;
const LEAST_TOKENS = 64;
const MOST_TOKENS = 10_000_000;
const MIB = 2 ** 20;
const MOST_MIB = 65_536;

/** How much text, and how it is run. */
export function AdvancedSettings() {
  const settings = useStore(corpusStore);
  const longest = useStore(checkpointStore, (state) => state.summary?.maxPositions ?? 4096);
  return (
    <details className={styles.advanced}>
      <summary>Advanced</summary>
      <div className={styles.settings}>
        <NumberField
          label="Sequence length"
          value={Math.min(settings.sequenceLength, longest)}
          min={LEAST_SEQUENCE}
          max={longest}
          step={1}
          onChange={(sequenceLength) => corpusStore.setState({ sequenceLength })}
        />
        <NumberField
          label="Tokens a domain, at most"
          value={settings.maxTokensPerDomain}
          min={LEAST_TOKENS}
          max={MOST_TOKENS}
          step={1}
          onChange={(maxTokensPerDomain) => corpusStore.setState({ maxTokensPerDomain })}
        />
        <NumberField
          label="Memory (MiB)"
          value={settings.memoryMiB}
          min={LEAST_MEMORY_BUDGET / MIB}
          max={MOST_MIB}
          step={1}
          onChange={(memoryMiB) => corpusStore.setState({ memoryMiB })}
        />
        <SelectField
          stacked
          label="Gate weights"
          value={settings.gate}
          choices={GATES}
          onChange={(id) => corpusStore.setState({ gate: id === 'reference' ? 'reference' : 'model' })}
        />
        <SelectField
          stacked
          label="Compute with"
          value={settings.backend}
          choices={BACKENDS}
          onChange={(id) => corpusStore.setState({ backend: BACKENDS.find((row) => row.id === id)?.id ?? 'auto' })}
        />
        <div className={styles.wide}>
          <Checkbox
            label="Measure every layer again"
            checked={settings.startAfresh}
            onChange={(startAfresh) => corpusStore.setState({ startAfresh })}
          />
        </div>
      </div>
    </details>
  );
}
