import { describe, expect, it } from 'vitest';
import { emptyDomainStatistics, type LayerStatistics } from './layer-statistics.ts';
import { findSuperExperts } from './super-experts.ts';

function layer(index: number, ...domains: readonly (readonly number[])[]): LayerStatistics {
  const experts = domains[0]?.length ?? 0;
  return {
    layer: index,
    experts,
    topK: 1,
    domains: domains.map((values) => {
      const statistics = emptyDomainStatistics(experts);
      statistics.maxAbs.set(values);
      return statistics;
    }),
  };
}

/** n ones, with some values put in their places. */
function ones(count: number, values: ReadonlyMap<number, number> = new Map()): number[] {
  return Array.from({ length: count }, (_, index) => values.get(index) ?? 1);
}

describe('findSuperExperts', () => {
  const layers = [
    layer(1, ones(100, new Map([[3, 600]]))),
    layer(2, ones(100, new Map([[7, 50]]))),
    layer(3, ones(100)),
    layer(4, ones(100)),
  ];

  it('takes the larger of P99.5 and a tenth of the largest, strictly', () => {
    expect(findSuperExperts(layers, 'all')).toEqual({ threshold: 60, experts: [{ layer: 1, expert: 3, maxAbs: 600 }] });
  });

  it('interpolates P99.5 between its neighbours', () => {
    // 400 values: position 397.005 lies between the 398th, 1, and the 399th, 50: 1 + 0.005 × 49.
    const mild = [
      layer(
        0,
        ones(
          400,
          new Map([
            [5, 50],
            [6, 2],
          ]),
        ),
      ),
    ];
    expect(findSuperExperts(mild, 'all').threshold).toBe(5);
    const flat = [
      layer(
        0,
        ones(
          400,
          new Map([
            [5, 9],
            [6, 7],
            [7, 5],
          ]),
        ),
      ),
    ];
    const { threshold, experts } = findSuperExperts(flat, 'all');
    expect(threshold).toBeCloseTo(5 + 0.005 * 2, 12);
    expect(experts.map(({ expert }) => expert)).toEqual([5, 6]);
  });

  it('does not take a value that equals the threshold', () => {
    const equal = [
      layer(
        0,
        ones(
          400,
          new Map([
            [5, 100],
            [6, 10],
          ]),
        ),
      ),
    ];
    expect(findSuperExperts(equal, 'all')).toMatchObject({ threshold: 10, experts: [{ expert: 5 }] });
  });

  it("lands on the model's own layer index when the first layer is dense", () => {
    expect(findSuperExperts(layers, 'first-three-quarters').experts).toEqual([{ layer: 1, expert: 3, maxAbs: 600 }]);
  });

  it('leaves the last quarter out, but lets it set the threshold', () => {
    const late = [...layers.slice(1), layer(9, ones(100, new Map([[3, 600]])))];
    expect(findSuperExperts(late, 'first-three-quarters')).toEqual({ threshold: 60, experts: [] });
    expect(findSuperExperts(late, 'all').experts).toEqual([{ layer: 9, expert: 3, maxAbs: 600 }]);
  });

  it('takes the largest over domains and layers of different sizes', () => {
    const mixed = [layer(0, ones(2), [1, 900]), layer(5, ones(300))];
    expect(findSuperExperts(mixed, 'all').experts).toEqual([{ layer: 0, expert: 1, maxAbs: 900 }]);
  });

  it('finds none where nothing was measured', () => {
    expect(findSuperExperts([], 'all')).toEqual({ threshold: 0, experts: [] });
    expect(findSuperExperts([layer(0, [0, 0])], 'all').experts).toEqual([]);
  });
});
