import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkEvenLayers,
  checkExpertsToKeep,
  checkRatio,
  dropCount,
  maximumRatio,
  ratioOfDrop,
} from './constraints.ts';
import { moeLayer, select } from './selection.fixture.ts';

describe('dropCount', () => {
  it.each([
    [128, 0.3, 90],
    [128, 0.25, 96],
    [96, 0.3, 68],
    [512, 0.3, 359],
    [160, 0.4, 96],
    [8, 0.3, 6],
    [256, 0.34, 169],
    [100, 0.29, 72],
  ])('%i experts at %f keep %i', (experts, ratio, kept) => {
    expect(experts - dropCount(experts, ratio)).toBe(kept);
  });
});

describe('ratioOfDrop', () => {
  it('drops exactly that many again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1024 }), fc.nat(), (experts, seed) => {
        const drop = seed % (experts + 1);
        expect(dropCount(experts, ratioOfDrop(experts, drop))).toBe(drop);
      }),
      { numRuns: 2000 },
    );
  });

  it('lifts a quotient whose product falls short', () => {
    expect(dropCount(49, 1 / 49)).toBe(0);
    expect(dropCount(49, ratioOfDrop(49, 1))).toBe(1);
  });
});

describe('checkRatio', () => {
  it.each([-0.01, 0.91, Number.NaN, Number.POSITIVE_INFINITY])('refuses %f', (ratio) => {
    expect(() => checkRatio([moeLayer(0, 8)], ratio)).toThrow(
      expect.objectContaining({ family: 'plan', code: 'ratio-out-of-range' }),
    );
  });

  it('refuses fewer experts than top-k and names the largest ratio', () => {
    expect(() => checkRatio([moeLayer(0, 8), moeLayer(3, 6, 2)], 0.84)).toThrow(
      expect.objectContaining({
        code: 'fewer-than-top-k',
        message: 'Layer 3 would keep 1 of 6 experts, but the model sends each token to 2.',
        nextStep: 'Choose a ratio of at most 0.6667, which keeps 2 experts or more in every layer.',
      }),
    );
  });

  it('takes the ratio that its refusal names', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.nat(), (experts, seed) => {
        const layers = [moeLayer(0, experts, 1 + (seed % experts))];
        expect(() => checkRatio(layers, maximumRatio(layers))).not.toThrow();
        const text = refusalOf(layers);
        if (text !== undefined) expect(() => checkRatio(layers, Number(text))).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  /** The ratio in the next step of the refusal at 0.9, if that is refused. */
  function refusalOf(layers: Parameters<typeof checkRatio>[0]): string | undefined {
    try {
      checkRatio(layers, 0.9);
      return undefined;
    } catch (error) {
      return /at most ([0-9.]+),/.exec(String(Reflect.get(Object(error), 'nextStep')))?.[1] ?? 'no ratio named';
    }
  }

  it('allows 0 and 0.9 where top-k allows', () => {
    checkRatio([moeLayer(0, 8, 8)], 0);
    checkRatio([moeLayer(0, 100, 8)], 0.9);
    expect(maximumRatio([moeLayer(0, 8, 8)])).toBe(0);
    expect(maximumRatio([moeLayer(0, 256, 8)])).toBe(0.9);
    expect(maximumRatio([moeLayer(0, 32, 4), moeLayer(1, 32, 16)])).toBe(0.5);
  });
});

describe('checkExpertsToKeep', () => {
  it.each([0, 9, 2.5])('refuses %f of 8', (keep) => {
    expect(() => checkExpertsToKeep([moeLayer(0, 8)], keep)).toThrow(
      expect.objectContaining({ code: 'experts-out-of-range' }),
    );
  });

  it('refuses fewer than top-k', () => {
    expect(() => checkExpertsToKeep([moeLayer(0, 8, 4)], 3)).toThrow(
      expect.objectContaining({ code: 'fewer-than-top-k' }),
    );
    checkExpertsToKeep([moeLayer(0, 8, 4)], 4);
  });
});

describe('checkEvenLayers', () => {
  const rows = new Map([
    [0, [1, 2, 3, 4]],
    [1, [1, 2, 3, 4]],
  ]);

  it('passes a uniform plan and refuses one with an excluded layer', () => {
    checkEvenLayers(select(rows, { ratio: 0.5 }).plan);
    const { plan } = select(rows, { ratio: 0.5 }, { excludedLayers: new Set([1]) });
    expect(() => checkEvenLayers(plan)).toThrow(
      expect.objectContaining({ code: 'uneven-layers', details: { layer: 0, keep: 2, otherLayer: 1, otherKeep: 4 } }),
    );
  });
});
