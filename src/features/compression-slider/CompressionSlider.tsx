import { useId, useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import { possibleKeepCounts } from '../../core/plan/expert-groups.ts';
import { saliencyMetrics } from '../../core/saliency/registry.ts';
import { calibrationStore } from '../../stores/calibration-store.ts';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { currentSelection, currentSummary, presentChoice, subscribeDerived } from '../../stores/derived.ts';
import { planStore } from '../../stores/plan-store.ts';
import { Checkbox } from '../../ui/Checkbox.tsx';
import { formatPercent } from '../../ui/number-format.ts';
import { SelectField } from '../../ui/SelectField.tsx';
import styles from './CompressionSlider.module.css';
import { LARGEST_PERCENT, percentOfDrop, sliderTicks } from './slider-ticks.ts';
import { sliderWords } from './slider-words.ts';

const MOST_TICKS = 8;
const NEXT_TOKEN_CHOICES = [
  { id: 'prune', label: 'Prune like the last layer' },
  { id: 'drop', label: 'Leave out' },
];

/** How much goes, and by which measure. */
export function CompressionSlider() {
  const id = useId();
  const protectSuperExperts = useStore(planStore, (state) => state.protectSuperExperts);
  const { isHeld, percent, metric, nextToken } = useSyncExternalStore(subscribeDerived, presentChoice);
  const model = useStore(checkpointStore, (state) => state.summary);
  const calibrated = useStore(calibrationStore, (state) => state.status === 'done');
  const selection = useSyncExternalStore(subscribeDerived, currentSelection);
  const summary = useSyncExternalStore(subscribeDerived, currentSummary);
  const [layer] = model?.moeLayers ?? [];
  const counts = layer === undefined ? [] : possibleKeepCounts(layer);
  const experts = counts[0] ?? 0;
  const largest = Math.min(LARGEST_PERCENT, percentOfDrop(experts, experts - (counts.at(-1) ?? 0)));

  return (
    <section className={styles.region} aria-label="Compression">
      <div className={styles.slider}>
        <div className={styles.head}>
          <label htmlFor={id}>Compression ratio</label>
          <output htmlFor={id} className={styles.value}>
            {formatPercent(percent / 100)}
          </output>
        </div>
        <input
          id={id}
          type="range"
          className={styles.range}
          min={0}
          max={LARGEST_PERCENT}
          step={1}
          disabled={isHeld}
          value={percent}
          style={{ '--filled': percent / LARGEST_PERCENT, '--possible': largest / LARGEST_PERCENT }}
          aria-valuetext={sliderWords(percent, summary, selection?.error ?? null)}
          onChange={(event) => planStore.setState({ percent: event.target.valueAsNumber })}
        />
        <div className={styles.ticks} aria-hidden>
          {sliderTicks(counts, MOST_TICKS).map(({ keep, place }) => (
            <span key={keep} className={styles.tick} style={{ '--place': place }}>
              {keep}
            </span>
          ))}
        </div>
      </div>
      <div className={styles.options}>
        <SelectField
          label="Metric"
          value={metric.id}
          choices={isHeld ? [metric] : saliencyMetrics.all()}
          disabled={isHeld}
          onChange={(next) => planStore.setState({ metric: next })}
        />
        <Checkbox
          label="Protect super experts"
          checked={protectSuperExperts && !isHeld}
          disabled={!calibrated || isHeld}
          onChange={(checked) => planStore.setState({ protectSuperExperts: checked })}
        />
        {model?.nextToken === undefined ? null : (
          <SelectField
            label="Layers for further tokens"
            value={nextToken}
            choices={NEXT_TOKEN_CHOICES}
            disabled={isHeld}
            onChange={(next) => planStore.setState({ nextToken: next === 'drop' ? 'drop' : 'prune' })}
          />
        )}
      </div>
    </section>
  );
}
