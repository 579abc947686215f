import { useId, useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import { saliencyMetrics } from '../../core/saliency/registry.ts';
import { calibrationStore } from '../../stores/calibration-store.ts';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { currentSelection, currentSummary, subscribeDerived } from '../../stores/derived.ts';
import { planStore } from '../../stores/plan-store.ts';
import { Checkbox } from '../../ui/Checkbox.tsx';
import { formatPercent } from '../../ui/number-format.ts';
import { SelectField } from '../../ui/SelectField.tsx';
import styles from './CompressionSlider.module.css';
import { LARGEST_PERCENT, percentOfDrop, sliderTicks } from './slider-ticks.ts';
import { sliderWords } from './slider-words.ts';

const MOST_TICKS = 8;

/** How much goes, and by which measure. */
export function CompressionSlider() {
  const id = useId();
  const { percent, metric, protectSuperExperts } = useStore(planStore);
  const experts = useStore(checkpointStore, (state) => state.summary?.experts ?? 0);
  const topK = useStore(checkpointStore, (state) => state.summary?.topK ?? 0);
  const calibrated = useStore(calibrationStore, (state) => state.status === 'done');
  const selection = useSyncExternalStore(subscribeDerived, currentSelection);
  const summary = useSyncExternalStore(subscribeDerived, currentSummary);
  const largest = Math.min(LARGEST_PERCENT, percentOfDrop(experts, experts - topK));

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
          value={percent}
          style={{ '--filled': percent / LARGEST_PERCENT, '--possible': largest / LARGEST_PERCENT }}
          aria-valuetext={sliderWords(percent, summary, selection?.error ?? null)}
          onChange={(event) => planStore.setState({ percent: event.target.valueAsNumber })}
        />
        <div className={styles.ticks} aria-hidden>
          {sliderTicks(experts, topK, MOST_TICKS).map(({ keep, place }) => (
            <span key={keep} className={styles.tick} style={{ '--place': place }}>
              {keep}
            </span>
          ))}
        </div>
      </div>
      <div className={styles.options}>
        <SelectField
          label="Metric"
          value={metric}
          choices={saliencyMetrics.all()}
          onChange={(next) => planStore.setState({ metric: next })}
        />
        <Checkbox
          label="Protect super experts"
          checked={protectSuperExperts}
          disabled={!calibrated}
          onChange={(checked) => planStore.setState({ protectSuperExperts: checked })}
        />
      </div>
    </section>
  );
}
