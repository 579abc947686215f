import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyDomainStatistics } from '../saliency/layer-statistics.ts';
import { saliencyMetrics } from '../saliency/registry.ts';
import { scoreLayers } from '../saliency/saliency-matrix.ts';
import { FOUR_TOKENS, observe, oneLayer } from '../saliency/statistics.fixture.ts';
import { dropped, moeLayer, scoresOf, select } from './selection.fixture.ts';
import { selectExperts } from './selection.ts';

/** One layer of a tiny Qwen3-MoE: sums by transformers 5.17 over 288 tokens (float32 model, float64 sums). */
const GOLDEN_LAYER = Object.assign(emptyDomainStatistics(8), {
  tokens: 288,
  count: Float64Array.of(54, 105, 102, 54, 62, 60, 91, 48),
  normSum: Float64Array.of(
    397.415008,
    391.329313,
    940.708786,
    364.545418,
    224.911763,
    688.142517,
    598.164023,
    542.398067,
  ),
  gateSum: Float64Array.of(32.478726, 62.320765, 53.321091, 21.75, 25.480686, 27.800205, 44.52572, 20.322809),
  gateNormSum: Float64Array.of(
    249.330008,
    229.827553,
    501.590413,
    141.183424,
    86.281145,
    319.286119,
    297.088367,
    236.28875,
  ),
  maxAbs: Float64Array.of(5.499158, 3.113454, 6.362987, 6.073711, 2.652818, 7.88947, 4.987562, 5.729713),
});

const row = (scores: readonly number[]) => new Map([[0, scores]]);

describe('the least salient go', () => {
  const a = (renormalise: boolean) =>
    oneLayer(observe(FOUR_TOKENS.logits.slice(0, 3), FOUR_TOKENS.outputs.slice(0, 3), renormalise));

  it.each([
    [true, 1, [3]],
    [true, 2, [0, 3]],
    [false, 1, [3]],
    [false, 2, [0, 3]],
  ])('four tokens by REAP, renormalised %s, dropping %i', (renormalise, drop, expected) => {
    const metric = saliencyMetrics.get('reap');
    if (metric === undefined) throw new Error('no reap');
    const scores = [...(scoreLayers(a(renormalise), metric)[0]?.scores ?? [])];
    expect(dropped(select(row(scores), { expertsToKeep: 4 - drop }).plan)).toEqual([expected]);
  });

  it('breaks the tie of ean_sum in favour of the lower index and says so', () => {
    const metric = saliencyMetrics.get('ean-sum');
    if (metric === undefined) throw new Error('no ean-sum');
    const scores = [...(scoreLayers(a(true), metric)[0]?.scores ?? [])];
    const { plan } = select(row(scores), { ratio: 0.5 });
    expect(dropped(plan)).toEqual([[1, 3]]);
    expect([...(plan.layers[0]?.reasons ?? [])].sort()).toEqual([
      [0, 'tie'],
      [1, 'tie'],
    ]);
  });

  it.each([
    ['reap', [1, 4], [1, 3, 4, 6]],
    ['weighted-ean-sum', [3, 4], [1, 3, 4, 7]],
    ['ean-sum', [3, 4], [0, 1, 3, 4]],
    ['ean-mean', [1, 4], [1, 3, 4, 6]],
    // Experts 0 and 3 tie at 54 tokens: the lower index stays.
    ['frequency', [3, 7], [0, 3, 5, 7]],
    ['max-activation', [1, 4], [0, 1, 4, 6]],
    ['weighted-frequency', [3, 7], [3, 4, 5, 7]],
  ])('a layer of the golden model by %s', (id, quarter, half) => {
    const metric = saliencyMetrics.get(id);
    if (metric === undefined) throw new Error(id);
    const scores = scoreLayers(oneLayer(GOLDEN_LAYER), metric)[0]?.scores ?? [];
    expect(dropped(select(row([...scores]), { ratio: 0.25 }).plan)).toEqual([quarter]);
    expect(dropped(select(row([...scores]), { ratio: 0.5 }).plan)).toEqual([half]);
  });

  it('agrees with a stable sort over random scores, and keep is the complement, ascending', () => {
    const rows = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(rows, fc.double({ min: 0, max: 0.9, noNaN: true }), (scores, ratio) => {
        const { plan } = select(row(scores), { ratio }, {}, 1);
        const order = scores.map((_, expert) => expert).sort((x, y) => (scores[x] ?? 0) - (scores[y] ?? 0) || y - x);
        const drop = order.slice(0, Math.floor(scores.length * ratio)).sort((x, y) => x - y);
        expect(dropped(plan)).toEqual([drop]);
        expect(plan.layers[0]?.keep).toEqual(
          scores.map((_, expert) => expert).filter((expert) => !drop.includes(expert)),
        );
        expect(plan.layers[0]?.scores).toEqual(scores);
      }),
    );
  });
});

describe('the plan', () => {
  it("carries the model's own layer indices, scores in any order, and what it was made from", () => {
    const calibration = {
      domains: [{ name: 'c', tokens: 4, sequences: 1, hash: 'a'.repeat(64) }],
      gate: 'reference',
      statisticsHash: 'b'.repeat(64),
    } as const;
    const model = { architecture: 'qwen3_moe', fingerprint: 'f'.repeat(64), source: 'tiny' };
    const { plan, warnings } = selectExperts({
      model,
      layers: [moeLayer(1, 4), moeLayer(3, 4)],
      scores: scoresOf(
        new Map([
          [3, [4, 3, 2, 1]],
          [1, [1, 2, 3, 4]],
        ]),
      ),
      metric: 'ean-mean',
      size: { ratio: 0.3 },
      calibration,
    });
    expect(plan).toMatchObject({ model, metric: 'ean-mean', policy: 'uniform', ratio: 0.3, calibration });
    expect(plan.layers.map(({ layer, drop }) => [layer, drop])).toEqual([
      [1, [0]],
      [3, [3]],
    ]);
    expect(warnings).toEqual([]);
  });

  it('gives a plan by expert count the ratio that makes it again', () => {
    const scores = Array.from({ length: 49 }, (_, expert) => expert);
    const { plan } = select(row(scores), { expertsToKeep: 48 });
    expect(dropped(select(row(scores), { ratio: plan.ratio }).plan)).toEqual([[0]]);
  });

  it('marks every expert at the cut as a tie, and only there', () => {
    const { plan } = select(row([0, 5, 0, 0, 7, 7]), { expertsToKeep: 4 });
    expect(dropped(plan)).toEqual([[2, 3]]);
    expect([...(plan.layers[0]?.reasons.keys() ?? [])].sort()).toEqual([0, 2, 3]);
    expect(select(row([0, 5, 0, 0, 7, 7]), { expertsToKeep: 3 }).plan.layers[0]?.reasons.size).toBe(0);
  });
});

describe('constraints', () => {
  const scores = [1, 2, 3, 4, 5, 6, 7, 8];
  const two = new Map([
    [0, scores],
    [2, scores],
  ]);
  const sets = (layer: number, ...experts: number[]) => new Map([[layer, new Set(experts)]]);

  it('never drops pinned and super experts', () => {
    const { plan, warnings } = select(two, { ratio: 0.25 }, { pinned: sets(0, 0), superExperts: sets(2, 1) });
    expect(dropped(plan)).toEqual([
      [1, 2],
      [0, 2],
    ]);
    expect([...(plan.layers[0]?.reasons ?? [])]).toEqual([[0, 'pinned']]);
    expect([...(plan.layers[1]?.reasons ?? [])]).toEqual([[1, 'super-expert']]);
    expect(warnings).toEqual([]);
  });

  it('drops forced-out experts first, super experts among them', () => {
    const { plan } = select(two, { ratio: 0.25 }, { forcedOut: sets(0, 7), superExperts: sets(0, 7, 0) });
    expect(dropped(plan)).toEqual([
      [1, 7],
      [0, 1],
    ]);
    expect([...(plan.layers[0]?.reasons ?? [])].sort()).toEqual([
      [0, 'super-expert'],
      [7, 'forced-out'],
    ]);
  });

  it('says which forced-out experts the ratio leaves no place for', () => {
    const { plan, warnings } = select(two, { ratio: 0.25 }, { forcedOut: sets(2, 7, 6, 5) });
    expect(dropped(plan)[1]).toEqual([5, 6]);
    expect(warnings).toEqual([
      expect.objectContaining({
        code: 'forced-out-kept',
        message: expect.stringContaining('1 of the experts forced out of layer 2'),
      }),
    ]);
  });

  it('lowers the count of all layers when protection leaves one too little room', () => {
    const { plan, warnings } = select(
      two,
      { ratio: 0.5 },
      { pinned: sets(2, 0, 1, 2, 3), superExperts: sets(2, 3, 4) },
    );
    expect(dropped(plan)).toEqual([
      [0, 1, 2],
      [5, 6, 7],
    ]);
    expect(warnings).toEqual([
      {
        code: 'fewer-dropped',
        message:
          'Layer 2 has only 3 experts that may go, the others are protected: every layer now drops 3 in place of 4, so that all layers keep alike.',
      },
    ]);
  });

  it('lowers layers of another size in proportion', () => {
    const mixed = new Map([
      [0, scores],
      [1, [...scores, ...scores]],
    ]);
    const { plan } = select(mixed, { ratio: 0.75 }, { pinned: sets(0, 0, 1, 2, 3, 4) });
    // Three of eight may go: any ratio below 4/8, which is seven of sixteen.
    expect(plan.layers.map(({ drop }) => drop.length)).toEqual([3, 7]);
  });

  it('keeps every expert of an excluded layer and warns that layers differ', () => {
    const { plan, warnings } = select(
      two,
      { ratio: 0.25 },
      { excludedLayers: new Set([0]), pinned: sets(0, ...scores.map((_, e) => e)) },
    );
    expect(dropped(plan)).toEqual([[], [0, 1]]);
    expect(warnings.map(({ code }) => code)).toEqual(['uneven-layers']);
  });

  it.each([
    ['unknown-expert', { pinned: sets(0, 8) }],
    ['unknown-expert', { forcedOut: sets(1, 0) }],
    ['unknown-expert', { superExperts: sets(0, -1) }],
    ['unknown-expert', { excludedLayers: new Set([5]) }],
    ['contradicting-constraints', { pinned: sets(0, 1), forcedOut: sets(0, 1) }],
  ])('refuses with %s', (code, constraints) => {
    expect(() => select(two, { ratio: 0.25 }, constraints)).toThrow(expect.objectContaining({ family: 'plan', code }));
  });
});

describe('bad scores', () => {
  const base = {
    model: { architecture: 'qwen3_moe', fingerprint: 'f'.repeat(64), source: 'tiny' },
    layers: [moeLayer(0, 4), moeLayer(1, 4)],
    metric: 'reap',
    size: { ratio: 0.5 },
    calibration: { domains: [], gate: 'model', statisticsHash: null },
  } as const;

  it.each([
    ['missing-layers', new Map([[0, [1, 2, 3, 4]]])],
    [
      'wrong-expert-count',
      new Map([
        [0, [1, 2, 3, 4]],
        [1, [1, 2, 3]],
      ]),
    ],
    [
      'non-finite-score',
      new Map([
        [0, [1, 2, 3, 4]],
        [1, [1, Number.NaN, 3, 4]],
      ]),
    ],
  ])('refuses with %s', (code, rows) => {
    expect(() => selectExperts({ ...base, scores: scoresOf(rows) })).toThrow(
      expect.objectContaining({ family: 'plan', code }),
    );
  });

  it('refuses a ratio that leaves fewer experts than top-k', () => {
    const rows = new Map([
      [0, [1, 2, 3, 4]],
      [1, [1, 2, 3, 4]],
    ]);
    expect(() => selectExperts({ ...base, size: { ratio: 0.75 }, scores: scoresOf(rows) })).toThrow(
      expect.objectContaining({ code: 'fewer-than-top-k' }),
    );
  });
});
