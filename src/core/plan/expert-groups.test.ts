import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkExpertsToKeep, checkRatio, dropCountOf, maximumRatio } from './constraints.ts';
import { checkGroups, leastKept, possibleKeepCounts } from './expert-groups.ts';
import { dropped, groupedLayer, moeLayer, select, selectGrouped } from './selection.fixture.ts';

/** Eight experts in four groups of two, of which a token chooses two: as in DeepSeek-V3. */
const FOUR = { count: 4, chosen: 2, least: 1 };

describe('counts that a layer can keep', () => {
  it('fall by one, and with groups by one each, to what a token and the router need', () => {
    expect(possibleKeepCounts(moeLayer(0, 6, 3))).toEqual([6, 5, 4, 3]);
    expect(possibleKeepCounts(groupedLayer(0, 16, { ...FOUR, least: 2 }))).toEqual([16, 12, 8]);
    // Eight experts from four of eight groups: two each.
    expect(leastKept(groupedLayer(0, 256, { count: 8, chosen: 4, least: 2 }, 8))).toBe(16);
    // Six from one of two groups.
    expect(leastKept(groupedLayer(0, 16, { count: 2, chosen: 1, least: 1 }, 6))).toBe(12);
  });

  it('are those that are taken, as counts and by the ratio that leads there', () => {
    const shape = fc
      .record({
        count: fc.integer({ min: 2, max: 8 }),
        size: fc.integer({ min: 2, max: 24 }),
        chosen: fc.integer({ min: 1, max: 8 }),
        least: fc.integer({ min: 1, max: 2 }),
        topK: fc.integer({ min: 1, max: 8 }),
      })
      .filter(({ count, chosen, size, topK }) => chosen <= count && chosen * size >= topK);
    fc.assert(
      fc.property(shape, ({ count, size, chosen, least, topK }) => {
        const layer = groupedLayer(3, count * size, { count, chosen, least }, topK);
        const possible = new Set(possibleKeepCounts(layer));
        for (let keep = 1; keep <= layer.experts; keep++) {
          const refused = (() => {
            try {
              checkExpertsToKeep([layer], keep);
              return false;
            } catch {
              return true;
            }
          })();
          expect([keep, refused]).toEqual([keep, !possible.has(keep)]);
        }
        checkRatio([layer], maximumRatio([layer]));
        for (const ratio of [0.1, 0.3, 0.5, maximumRatio([layer])]) expect(dropCountOf(layer, ratio) % count).toBe(0);
      }),
    );
  });
});

describe('a grouped router', () => {
  const scores = new Map([[1, [8, 1, 2, 7, 3, 6, 5, 4]]]);

  it('loses the lowest of each group, as many everywhere', () => {
    expect(dropped(selectGrouped(scores, FOUR, { ratio: 0.5 }).plan)).toEqual([[1, 2, 4, 7]]);
    // Without groups the four lowest go, wherever they lie.
    const other = new Map([[1, [1, 2, 3, 4, 8, 7, 6, 5]]]);
    expect(dropped(select(other, { ratio: 0.5 }).plan)).toEqual([[0, 1, 2, 3]]);
    expect(dropped(selectGrouped(other, FOUR, { ratio: 0.5 }).plan)).toEqual([[0, 2, 5, 7]]);
  });

  it('loses what each group can spare, and the person hears of it', () => {
    const { plan, warnings } = selectGrouped(scores, FOUR, { ratio: 0.7 });
    expect(dropped(plan)).toEqual([[1, 2, 4, 7]]);
    expect(plan.ratio).toBe(0.7);
    expect(warnings.map(({ code }) => code)).toEqual(['snapped-to-groups']);
    expect(warnings[0]?.message).toContain('4 experts go in place of 5');
    expect(selectGrouped(scores, FOUR, { ratio: 0.5 }).warnings).toEqual([]);
  });

  it('is never cut unevenly: a ratio below one expert a group is refused with the counts that work', () => {
    expect(() => selectGrouped(scores, FOUR, { ratio: 0.3 })).toThrow(
      expect.objectContaining({
        family: 'plan',
        code: 'uneven-groups',
        message:
          'The router of layer 1 chooses among 4 groups of experts, so each group must lose as many: 6 of 8 cannot stay.',
        nextStep: 'Keep 4 or 8 experts in every layer, or another multiple of 4.',
      }),
    );
    expect(() => selectGrouped(scores, FOUR, { expertsToKeep: 6 })).toThrow(
      expect.objectContaining({ code: 'uneven-groups' }),
    );
    expect(dropped(selectGrouped(scores, FOUR, { ratio: 0.1 }).plan)).toEqual([[]]);
  });

  it('keeps pinned experts, and where a group is full of them all groups lose fewer', () => {
    const pinned = (experts: readonly number[]) => ({ pinned: new Map([[1, new Set(experts)]]) });
    expect(dropped(selectGrouped(scores, FOUR, { ratio: 0.5 }, pinned([1])).plan)).toEqual([[0, 2, 4, 7]]);
    const full = selectGrouped(scores, FOUR, { ratio: 0.5 }, pinned([0, 1]));
    expect(dropped(full.plan)).toEqual([[]]);
    expect(full.warnings.map(({ code }) => code)).toEqual(['fewer-dropped']);
    const large = new Map([[1, Array.from({ length: 16 }, (_, expert) => expert)]]);
    expect(dropped(selectGrouped(large, FOUR, { ratio: 0.5 }, pinned([0, 1, 2])).plan)).toEqual([[3, 4, 8, 12]]);
    const spread = selectGrouped(large, FOUR, { ratio: 0.5 }, pinned([0, 4, 8, 12]));
    expect(spread.warnings).toEqual([]);
    expect(dropped(spread.plan)).toEqual([[1, 2, 5, 6, 9, 10, 13, 14]]);
    // A larger layer could lose 1 in proportion, which no four groups can share.
    const layers = new Map([...scores, [2, large.get(1) ?? []]]);
    expect(dropped(selectGrouped(layers, FOUR, { ratio: 0.5 }, pinned([0, 1])).plan)).toEqual([[], []]);
  });

  it('loses experts forced out before others of their group', () => {
    const forcedOut = new Map([[1, new Set([0, 3])]]);
    const { plan, warnings } = selectGrouped(scores, FOUR, { ratio: 0.5 }, { forcedOut });
    expect(dropped(plan)).toEqual([[0, 3, 4, 7]]);
    expect(warnings).toEqual([]);
    expect([...(plan.layers[0]?.reasons ?? [])]).toEqual([
      [0, 'forced-out'],
      [3, 'forced-out'],
    ]);
    const both = selectGrouped(scores, FOUR, { ratio: 0.5 }, { forcedOut: new Map([[1, new Set([0, 1])]]) });
    expect(both.warnings.map(({ code }) => code)).toEqual(['forced-out-kept']);
  });
});

describe('a keep list', () => {
  it('must hold as many experts of each group, and enough', () => {
    const layer = groupedLayer(1, 8, { ...FOUR, count: 2, least: 2 });
    checkGroups(layer, [0, 3, 4, 5]);
    checkGroups(moeLayer(1, 8), [0, 1, 2, 3]);
    expect(() => checkGroups(layer, [0, 1, 2, 4])).toThrow(expect.objectContaining({ code: 'uneven-groups' }));
    expect(() => checkGroups(layer, [0, 4])).toThrow(expect.objectContaining({ code: 'groups-too-small' }));
  });
});
