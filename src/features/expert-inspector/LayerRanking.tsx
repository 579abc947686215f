import styles from './ExpertInspector.module.css';
import { barPath, ranking } from './ranking.ts';

interface LayerRankingProps {
  readonly layer: number;
  readonly scores: Float64Array;
  readonly drop: readonly number[];
  readonly expert: number;
}

const HEIGHT = 56;

/** The layer's experts by falling score: how steep the fall is where the plan cuts. */
export function LayerRanking({ layer, scores, drop, expert }: LayerRankingProps) {
  const bars = ranking(scores, drop);
  const place = bars.findIndex((bar) => bar.expert === expert);
  return (
    <figure className={styles.ranking}>
      <svg viewBox={`0 0 ${bars.length} ${HEIGHT}`} preserveAspectRatio="none" height={HEIGHT} aria-hidden>
        <rect className={styles.barActive} x={place} width={1} y={0} height={HEIGHT} />
        <path className={styles.barKept} d={barPath(bars, HEIGHT, (bar) => !bar.dropped)} />
        <path className={styles.barCut} d={barPath(bars, HEIGHT, (bar) => bar.dropped)} />
      </svg>
      <figcaption>Layer {layer}, experts by falling score; cut ones pale</figcaption>
    </figure>
  );
}
