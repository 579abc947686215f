/** One bar of the ranking: an expert at its place. */
export interface RankedExpert {
  readonly expert: number;
  readonly score: number;
  readonly dropped: boolean;
}

/** A layer's experts from the most to the least salient; equal scores by number. */
export function ranking(scores: Float64Array, drop: readonly number[]): RankedExpert[] {
  const dropped = new Set(drop);
  return Array.from(scores, (score, expert) => ({ expert, score, dropped: dropped.has(expert) })).sort(
    (a, b) => b.score - a.score || a.expert - b.expert,
  );
}

/** An SVG path of bars standing on `height`, each `1` wide with a gap, for those that `chosen` picks. */
export function barPath(bars: readonly RankedExpert[], height: number, chosen: (bar: RankedExpert) => boolean): string {
  const largest = Math.max(0, ...bars.map(({ score }) => score));
  if (largest === 0) return '';
  const gap = bars.length > 64 ? 0 : 0.2;
  return bars
    .map((bar, place) => {
      if (!chosen(bar)) return '';
      const length = Math.max(0.5, (bar.score / largest) * height);
      return `M${place + gap / 2},${height}v${(-length).toFixed(2)}h${(1 - gap).toFixed(2)}V${height}z`;
    })
    .join('');
}
