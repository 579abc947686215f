import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashText } from './hash-text.ts';
import {
  addDomainStatistics,
  type DomainStatistics,
  emptyDomainStatistics,
  STATISTIC_FIELDS,
} from './layer-statistics.ts';
import { mergeStatistics } from './merge-statistics.ts';
import { fakeHash, wholeNumberStatistics } from './statistics.fixture.ts';
import { type CalibrationStatistics, parseStatistics, serialiseStatistics } from './statistics-file.ts';

const python = (layers: readonly number[], hash = 'a', tokens = 6) =>
  wholeNumberStatistics(layers, { name: 'python', tokens, hash: fakeHash(hash) });
const german = (layers: readonly number[]) =>
  wholeNumberStatistics(layers, { name: 'german', tokens: 4, hash: fakeHash('c') });

function refusal(parts: readonly CalibrationStatistics[], code: string) {
  return expect(mergeStatistics(parts)).rejects.toMatchObject({ family: 'calibration', code });
}

const LAYERS = [0, 2, 3];
const EXPERTS = 3;

/** One text's statistics in every layer, whole sums: adding them is exact in any order. */
const piece = fc
  .array(fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 6 * EXPERTS, maxLength: 6 * EXPERTS }), {
    minLength: LAYERS.length,
    maxLength: LAYERS.length,
  })
  .map((rows) =>
    rows.map((values): DomainStatistics => {
      const statistics = emptyDomainStatistics(EXPERTS);
      for (const [index, field] of STATISTIC_FIELDS.entries()) {
        statistics[field].set(values.slice(index * EXPERTS, (index + 1) * EXPERTS));
      }
      return statistics;
    }),
  );

describe('mergeStatistics', () => {
  it('gives the whole back, however texts and layers are split and the parts are ordered', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { minLength: 1, maxLength: 4 }),
        fc.array(fc.integer({ min: 0, max: LAYERS.length - 1 }), { minLength: 4, maxLength: 4 }),
        fc.infiniteStream(fc.nat()),
        async (texts, cuts, order) => {
          const parts = texts.flatMap((rows, text) => {
            const cut = cuts[text] ?? 0;
            return [LAYERS.slice(0, cut), LAYERS.slice(cut)]
              .filter((layers) => layers.length > 0)
              .map(
                (layers): CalibrationStatistics => ({
                  ...python(layers, String(text)),
                  layers: layers.map((layer) => ({
                    layer,
                    experts: EXPERTS,
                    topK: 2,
                    domains: [rows[LAYERS.indexOf(layer)] ?? emptyDomainStatistics(EXPERTS)],
                  })),
                }),
              );
          });
          const shuffled = parts
            .map((part) => ({ part, key: order.next().value ?? 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ part }) => part);
          const merged = await mergeStatistics(shuffled);
          expect(merged.layers.map(({ layer }) => layer)).toEqual(LAYERS);
          for (const [row, layer] of merged.layers.entries()) {
            const whole = emptyDomainStatistics(EXPERTS);
            for (const rows of texts) addDomainStatistics(whole, rows[row] ?? emptyDomainStatistics(EXPERTS));
            expect(layer.domains).toEqual([whole]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('unites disjoint layers of the same text', async () => {
    expect(await mergeStatistics([python([3, 5]), python([0, 1])])).toEqual(python([0, 1, 3, 5]));
  });

  it('adds more text of a domain, under a hash of the sorted hashes', async () => {
    const merged = await mergeStatistics([python([1], 'b', 10), python([1], 'a', 6)]);
    expect(merged.domains).toEqual([
      { name: 'python', tokens: 16, sequences: 2, hash: await hashText(`${fakeHash('a')}\n${fakeHash('b')}`) },
    ]);
    expect(merged.layers[0]?.domains[0]?.tokens).toBe(16);
    expect(parseStatistics(serialiseStatistics(merged))).toEqual(merged);
  });

  it('does not depend on the order of the parts', async () => {
    const parts = [python([1], 'b', 10), python([1], 'a', 6), python([1], 'd', 2)];
    expect(await mergeStatistics(parts.toReversed())).toEqual(await mergeStatistics(parts));
  });

  it('puts domains side by side', async () => {
    const merged = await mergeStatistics([python([0, 1]), german([0, 1])]);
    expect(merged.domains.map(({ name }) => name)).toEqual(['python', 'german']);
    expect(merged.layers[1]?.domains).toEqual([python([1]).layers[0]?.domains[0], german([1]).layers[0]?.domains[0]]);
  });

  it('leaves its parts untouched', async () => {
    const parts = [python([1], 'a'), python([1], 'b')];
    const before = structuredClone(parts);
    await mergeStatistics(parts);
    expect(parts).toEqual(before);
  });

  it('refuses to count a text twice', () => refusal([python([0, 1]), python([1, 2])], 'text-counted-twice'));

  it('refuses layers that miss some of the text', async () => {
    await refusal([python([0, 1]), german([0])], 'incomplete-layers');
    await refusal([python([0, 1]), python([0], 'b')], 'incomplete-layers');
  });

  it('refuses another model, gate or layer shape, and nothing at all', async () => {
    const base = python([0]);
    await refusal([base, { ...python([1]), model: { ...base.model, fingerprint: fakeHash('0') } }], 'other-model');
    await refusal([base, { ...python([1]), gate: 'reference' }], 'other-gate');
    await refusal(
      [base, wholeNumberStatistics([0], { name: 'c', tokens: 2, hash: fakeHash('9') }, 8)],
      'different-layers',
    );
    await refusal([], 'nothing-to-merge');
  });
});
