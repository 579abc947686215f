import { expect, it } from 'vitest';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { tinyCheckpoint } from '../checkpoint/tiny-checkpoint.fixture.ts';
import { StatisticsCollector } from './statistics-collector.ts';

const DOMAINS = Uint16Array.of(0, 1);

async function collector(): Promise<StatisticsCollector> {
  const { config } = await openCheckpoint(tinyCheckpoint());
  return new StatisticsCollector(3, config.router, 2);
}

function observed(norms: readonly number[], maxAbs: readonly number[]) {
  const rows = Int32Array.of(0, 1);
  return { expert: 4, rows, places: rows, norms: Float32Array.from(norms), maxAbs: Float32Array.from(maxAbs) };
}

it('adds up what it is shown, and passes over pairs that are not observed', async () => {
  const sums = await collector();
  sums.add(observed([2, 3], [1, 2]), Float32Array.of(0.5, Number.NaN), DOMAINS);
  sums.add(observed([4, 5], [0.5, 3]), Float32Array.of(0.25, 2), DOMAINS);
  const { domains } = sums.finish();
  const facts = domains.map(({ count, normSum, gateNormSum, gateNormSquaredSum, maxAbs }) =>
    [count, normSum, gateNormSum, gateNormSquaredSum, maxAbs].map((array) => array[4]),
  );
  expect(facts).toEqual([
    [2, 6, 2, 2, 1],
    [1, 5, 10, 100, 3],
  ]);
});

it.each([
  ['a norm', [1, Number.NaN], [1, 1], [1, 1]],
  ['an infinite norm', [Number.POSITIVE_INFINITY, 1], [1, 1], [1, 1]],
  ['a largest component', [1, 1], [Number.NaN, 1], [1, 1]],
  ['an infinite component', [1, 1], [1, Number.POSITIVE_INFINITY], [1, 1]],
  ['a gate', [1, 1], [1, 1], [1, Number.POSITIVE_INFINITY]],
])('refuses %s that is not finite, naming expert and layer', async (_, norms, maxAbs, gates) => {
  const sums = await collector();
  expect(() => sums.add(observed(norms, maxAbs), Float32Array.from(gates), DOMAINS)).toThrow(
    expect.objectContaining({ code: 'non-finite', details: { layer: 3, expert: 4 } }),
  );
});
