const STEPS = [
  ['minute', 60],
  ['hour', 60],
  ['day', 24],
  ['week', 7],
  ['month', 4.348],
  ['year', 12],
] as const;

const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** How long ago `time` was at `now`, both in milliseconds: "just now", "5 minutes ago", "yesterday". */
export function formatAgo(time: number, now: number): string {
  let amount = (now - time) / 1000;
  let unit: (typeof STEPS)[number][0] | null = null;
  for (const [next, length] of STEPS) {
    if (amount < length) break;
    amount /= length;
    unit = next;
  }
  return unit === null ? 'just now' : words.format(-Math.floor(amount), unit);
}
