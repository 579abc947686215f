/** What was measured of the demo model: docs beside it, figures in results.json. */
export interface DemoFindings {
  readonly domains: number;
  /** Domains where REAP, calibrated on that domain, loses less than random removal at a quarter. */
  readonly reapBeatsRandom: number;
  /** Domains where frequency, calibrated on that domain, loses less than REAP at a quarter. */
  readonly frequencyBeatsReap: number;
}

const RATIO = '0.25';

/** Counts from the figures; null when they have another form. */
export function readFindings(results: unknown): DemoFindings | null {
  const ratio = field(field(results, 'ratios'), RATIO);
  const reap = losses(field(ratio, 'reap_domain'));
  const random = losses(field(ratio, 'random_mean'));
  const frequency = losses(field(ratio, 'frequency_domain'));
  if (reap.size === 0 || random.size === 0 || frequency.size === 0) return null;
  return {
    domains: reap.size,
    reapBeatsRandom: countLess(reap, random),
    frequencyBeatsReap: countLess(frequency, reap),
  };
}

/** Fetches the figures; null when they cannot be had, which costs the page one note. */
export async function loadFindings(): Promise<DemoFindings | null> {
  const response = await fetch(new URL('demo/results.json', document.baseURI)).catch(() => null);
  return response?.ok === true ? readFindings(await response.json().catch(() => null)) : null;
}

function countLess(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): number {
  return [...one].filter(([domain, loss]) => loss < (other.get(domain) ?? Number.NEGATIVE_INFINITY)).length;
}

function losses(value: unknown): ReadonlyMap<string, number> {
  if (typeof value !== 'object' || value === null) return new Map();
  return new Map(Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
