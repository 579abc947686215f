import { useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import { measuredScores, subscribeDerived } from '../../stores/derived.ts';
import { viewStore } from '../../stores/view-store.ts';
import { formatMeasure } from '../../ui/number-format.ts';
import { cssColour, saliencyColour } from './heatmap-colours.ts';
import { FEW_TOKENS, span } from './heatmap-levels.ts';
import styles from './SaliencyHeatmap.module.css';

const STOPS = [0, 32, 64, 96, 128, 160, 192, 224, 255].map((level) => cssColour(saliencyColour(level)));
const GRADIENT = `linear-gradient(to right, ${STOPS.join(', ')})`;

/** What colours and marks mean. */
export function Legend() {
  const mode = useStore(viewStore, (state) => state.colourMode);
  const scores = useSyncExternalStore(subscribeDerived, measuredScores).value ?? [];
  const [low, high] = mode === 'model' && scores.length > 0 ? valueEnds(scores.map((row) => row.scores)) : WORDS[mode];
  return (
    <div className={styles.legend}>
      <span className={styles.scale}>
        {low}
        <span className={styles.gradient} style={{ background: GRADIENT }} />
        {high}
      </span>
      <span className={styles.mark}>
        <span className={styles.cutSample} />
        cut
      </span>
      <span className={styles.mark}>
        <span className={styles.fewSample} />
        fewer than {FEW_TOKENS} tokens
      </span>
    </div>
  );
}

const WORDS = {
  layer: ['least in its layer', 'most'],
  model: ['least', 'most'],
  rank: ['last in its layer', 'first'],
} as const;

function valueEnds(rows: readonly Float64Array[]): readonly [string, string] {
  const [least, largest] = span(rows);
  return [formatMeasure(least), formatMeasure(largest)];
}
