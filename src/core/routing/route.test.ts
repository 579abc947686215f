import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { route } from './route.ts';
import { softmaxRouterOf } from './router.fixture.ts';
import type { RouteInput, Router, Routing } from './router.ts';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

const SIGMOID: Router = { ...softmaxRouterOf(8, 2, true), scoring: 'sigmoid', sumEpsilon: 1e-20 };
const byMaximum = { count: 4, chosen: 2, score: 'maximum' } as const;
const GROUPED: Router = { ...SIGMOID, groups: { count: 4, chosen: 2, score: 'two-largest' } };

function pairs({ selected, gates }: Routing): [number, number][] {
  return [...selected].map((expert, at) => [expert, gates[at] ?? Number.NaN]);
}

function expectPairs(found: [number, number][], expected: readonly (readonly [number, number])[]): void {
  expect(found.map(([expert]) => expert)).toEqual(expected.map(([expert]) => expert));
  for (const [at, [, gate]] of expected.entries()) expect(found[at]?.[1]).toBeCloseTo(gate, 5);
}

describe('route', () => {
  it('chooses by σ + bias and weighs by σ alone (case G4)', () => {
    const routing = route(
      { ...SIGMOID, experts: 4 },
      { logits: Float32Array.of(2, 1, 0, -1), tokens: 1, correctionBias: Float32Array.of(-1, 0, 0.5, 0.9) },
    );
    expectPairs(pairs(routing), [
      [3, 0.349755],
      [2, 0.650245],
    ]);
  });

  it('chooses from the best groups by their two largest scores (case G5)', () => {
    const logits = Float32Array.of(3, -3, 1, 1, 0.5, 0.4, 2, -1);
    expectPairs(pairs(route(GROUPED, { logits, tokens: 1, correctionBias: new Float32Array(8) })), [
      [2, 0.5],
      [3, 0.5],
    ]);
    const { selected } = route({ ...GROUPED, groups: undefined }, { logits, tokens: 1 });
    expect([...selected]).toEqual([0, 6]);
  });

  it('scores groups by their maximum and scales last (DeepSeek-V2)', () => {
    const router: Router = {
      ...softmaxRouterOf(4, 1, false),
      groups: { count: 2, chosen: 1, score: 'maximum' },
      scale: 4,
    };
    const powers = [1, 2, 4, 1].map((power) => Math.exp(power));
    const total = powers.reduce((sum, power) => sum + power, 0);
    const routing = route(router, { logits: Float32Array.of(1, 2, 4, 1), tokens: 1 });
    expectPairs(pairs(routing), [[2, (4 * (powers[2] ?? 0)) / total]]);
  });

  it.each([
    [
      [2, 1.99, 0.5, 1],
      [0.5025, 1],
    ],
    [
      [2, 1, 0.97, 0.5],
      [1, 1],
    ],
    [
      [2, 1, 0.99, 0.5],
      [1, 0.5025],
    ],
  ])('sparsemixer of %j gives the gates %j (case G10)', (logits, gates) => {
    const router: Router = { ...softmaxRouterOf(4, 2, false), scoring: 'sparsemixer', jitter: 0.01 };
    const routing = route(router, { logits: Float32Array.from(logits), tokens: 1 });
    expectPairs(pairs(routing), [
      [0, gates[0] ?? 0],
      [1, gates[1] ?? 0],
    ]);
  });

  it('floors the sum that it divides by, and adds an epsilon to it', () => {
    const floored = { ...softmaxRouterOf(2, 1, true), sumFloor: 2 };
    expect(route(floored, { logits: Float32Array.of(0, 0), tokens: 1 }).gates[0]).toBeCloseTo(0.25, 6);
    const added = { ...SIGMOID, experts: 2, topK: 1, sumEpsilon: 0.5 };
    expect(route(added, { logits: Float32Array.of(0, -1), tokens: 1 }).gates[0]).toBeCloseTo(0.5, 6);
  });

  it('lets identity experts be chosen, and never drops them', () => {
    const router: Router = { ...softmaxRouterOf(2, 2, false), identityExperts: 2 };
    const { selected } = route(router, {
      logits: Float32Array.of(1, 4, 3, 2),
      tokens: 1,
      dropped: new Set([1, 2]),
    });
    expect([...selected]).toEqual([2, 3]);
  });

  const SIXTEEN = Array.from({ length: 16 }, (_, expert) => expert);
  const numbers = fc.array(fc.float({ min: -8, max: 8, noNaN: true }), { minLength: 16, maxLength: 16 });
  const of16 = (router: Router): Router => ({ ...router, experts: 16 });
  const routers: readonly (readonly [string, Router, boolean])[] = [
    ['softmax', softmaxRouterOf(16, 2, true), false],
    ['softmax, not renormalised', softmaxRouterOf(16, 2, false), false],
    ['softmax with a bias, not renormalised', softmaxRouterOf(16, 2, false), true],
    ['softmax with a bias', { ...softmaxRouterOf(16, 2, true), sumFloor: 1e-12 }, true],
    ['sigmoid', { ...of16(SIGMOID), renormalise: false }, false],
    ['sigmoid with a bias', of16(SIGMOID), true],
    ['sigmoid in groups by their two largest', of16(GROUPED), true],
    ['softmax in groups by their maximum', { ...softmaxRouterOf(16, 2, false), groups: byMaximum, scale: 4 }, false],
    ['sparsemixer', { ...softmaxRouterOf(16, 2, false), scoring: 'sparsemixer', jitter: 0.3 }, false],
  ];

  it.each(routers)('without the dropped experts is the router of those that are left: %s', (_, router, biased) => {
    // Any experts may be left as long as their number can be divided into groups that are large enough.
    const counts = router.groups === undefined ? fc.integer({ min: 2, max: 16 }) : fc.constantFrom(8, 12, 16);
    const left = counts.chain((count) => fc.subarray(SIXTEEN, { minLength: count, maxLength: count }));
    fc.assert(
      fc.property(numbers, numbers, left, fc.boolean(), (logits, bias, kept, asMask) => {
        const input = (experts: readonly number[]): RouteInput => ({
          logits: Float32Array.from(experts.map((expert) => logits[expert] ?? 0)),
          tokens: 1,
          ...(biased ? { correctionBias: Float32Array.from(experts.map((expert) => bias[expert] ?? 0)) } : {}),
        });
        const mask = Uint8Array.from(SIXTEEN, (expert) => (kept.includes(expert) ? 0 : 1));
        const dropped = asMask ? mask : new Set(SIXTEEN.filter((expert) => mask[expert] === 1));
        const masked = route(router, { ...input(SIXTEEN), dropped });
        const cut = route({ ...router, experts: kept.length }, input(kept));
        expect([...masked.selected]).toEqual([...cut.selected].map((expert) => kept[expert]));
        expect(masked.gates).toEqual(cut.gates);
      }),
    );
  });

  it('moves survivors between groups as renumbering does, and refuses what it cannot divide', () => {
    const router: Router = { ...SIGMOID, groups: { count: 2, chosen: 1, score: 'two-largest' } };
    const logits = Float32Array.of(5, -5, -5, -5, 4, 3.9, 1, 0);
    // Left are 0, 4, 5, 6: the groups are {0, 4} and {5, 6}.
    const { selected } = route(router, { logits, tokens: 1, dropped: new Set([1, 2, 3, 7]) });
    expect([...selected]).toEqual([0, 4]);
    expect(() => route(router, { logits, tokens: 1, dropped: new Set([1, 2, 3]) })).toThrow(
      expect.objectContaining({ family: 'plan', code: 'uneven-groups' }),
    );
    expect(() => route(router, { logits, tokens: 1, dropped: new Set([0, 1, 2, 3, 6, 7]) })).toThrow(
      expect.objectContaining({ family: 'plan', code: 'groups-too-small' }),
    );
  });

  it('agrees with sorting by score on any logits', () => {
    fc.assert(
      fc.property(numbers, numbers, (logits, bias) => {
        const { selected } = route(of16(SIGMOID), {
          logits: Float32Array.from(logits),
          tokens: 1,
          correctionBias: Float32Array.from(bias),
        });
        const ranked = logits
          .map((logit, expert) => ({ expert, score: sigmoid(Math.fround(logit)) + Math.fround(bias[expert] ?? 0) }))
          .sort((a, b) => b.score - a.score || a.expert - b.expert);
        expect([...selected]).toEqual(ranked.slice(0, 2).map(({ expert }) => expert));
      }),
    );
  });

  it('refuses a correction bias that is not a number, and takes one that bars an expert', () => {
    const input = { logits: Float32Array.of(3, 2, 1, 0), tokens: 1 };
    const router = { ...SIGMOID, experts: 4 };
    expect(() => route(router, { ...input, correctionBias: Float32Array.of(0, Number.NaN, 0, 0) })).toThrow(
      expect.objectContaining({ family: 'calibration', code: 'nan-correction-bias', details: { expert: 1 } }),
    );
    const barred = Float32Array.of(Number.NEGATIVE_INFINITY, 0, 0, 0);
    expect([...route(router, { ...input, correctionBias: barred }).selected]).toEqual([1, 2]);
  });

  it('refuses a sparsemixer of more than two experts, with groups or with a bias', () => {
    const sparsemixer: Router = { ...softmaxRouterOf(4, 2, false), scoring: 'sparsemixer' };
    const input = { logits: new Float32Array(4), tokens: 1 };
    const refused = expect.objectContaining({ family: 'checkpoint', code: 'unsupported-router' });
    expect(() => route({ ...sparsemixer, topK: 3 }, input)).toThrow(refused);
    expect(() => route({ ...sparsemixer, groups: byMaximum }, input)).toThrow(refused);
    expect(() => route(sparsemixer, { ...input, correctionBias: new Float32Array(4) })).toThrow(refused);
  });
});
