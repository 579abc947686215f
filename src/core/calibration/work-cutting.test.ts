import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignedCounts, assignTokens } from './expert-assignment.ts';
import { groupExperts } from './expert-groups.ts';
import { ProgressMeter } from './progress.ts';
import { cutIntoBlocks } from './token-blocks.ts';

describe('groupExperts', () => {
  it('puts each expert with tokens into one group, within the limits and with little padding', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(5000), { maxLength: 300 }),
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 1, max: 20_000 }),
        (counts, maxExperts, maxRows) => {
          const groups = groupExperts(counts, { maxExperts, maxRows });
          const grouped = groups.flatMap(({ experts }) => [...experts]).sort((a, b) => a - b);
          expect(grouped).toEqual(counts.flatMap((count, expert) => (count > 0 ? [expert] : [])));
          for (const { experts, capacity } of groups) {
            const rows = experts.reduce((sum, expert) => sum + (counts[expert] ?? 0), 0);
            expect(Math.max(...experts.map((expert) => counts[expert] ?? 0))).toBe(capacity);
            expect(experts.length).toBeLessThanOrEqual(maxExperts);
            if (experts.length > 1) {
              expect(experts.length * capacity).toBeLessThanOrEqual(maxRows);
              expect(rows).toBeGreaterThanOrEqual(0.8 * experts.length * capacity - 1e-9);
            }
          }
        },
      ),
    );
  });
});

describe('assignTokens', () => {
  it('turns token → experts round without losing a pair', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(9), { maxLength: 200 }), (topK, chosen) => {
        const selected = Int32Array.from(chosen.slice(0, chosen.length - (chosen.length % topK)));
        const assignment = assignTokens(selected, 10, topK);
        const counts = assignedCounts(assignment);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(selected.length);
        for (let expert = 0; expert < 10; expert++) {
          for (let at = assignment.offsets[expert] ?? 0; at < (assignment.offsets[expert + 1] ?? 0); at++) {
            const place = assignment.places[at] ?? -1;
            expect(selected[place]).toBe(expert);
            expect(assignment.rows[at]).toBe(Math.floor(place / topK));
          }
        }
      }),
    );
  });
});

describe('cutIntoBlocks', () => {
  it('keeps every sequence whole, once, in its domain; batches are of one length', () => {
    const sequences = fc.array(fc.array(fc.array(fc.nat(99), { minLength: 1, maxLength: 12 }), { maxLength: 6 }), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(
        sequences,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 20 }),
        (domains, blockTokens, attentionTokens) => {
          const input = domains.map((domain) => domain.map((ids) => Int32Array.from(ids)));
          const found = new Map<string, number[]>();
          for (const block of cutIntoBlocks(input, { blockTokens, attentionTokens })) {
            if (block.sequences.length > 1) expect(block.tokens).toBeLessThanOrEqual(blockTokens);
            expect(block.batches.reduce((sum, { count, length }) => sum + count * length, 0)).toBe(block.tokens);
            for (const { count, length } of block.batches)
              if (count > 1) expect(count * length).toBeLessThanOrEqual(attentionTokens);
            for (const { domain, index, start, length } of block.sequences) {
              expect(
                block.batches.some(
                  (batch) =>
                    batch.length === length && start >= batch.start && start < batch.start + batch.count * length,
                ),
              ).toBe(true);
              expect(new Set(block.domains.subarray(start, start + length))).toEqual(new Set([domain]));
              found.set(`${domain}/${index}`, [...block.ids.subarray(start, start + length)]);
            }
          }
          expect(Object.fromEntries(found)).toEqual(
            Object.fromEntries(domains.flatMap((domain, d) => domain.map((ids, i) => [`${d}/${i}`, ids]))),
          );
        },
      ),
    );
  });
});

describe('ProgressMeter', () => {
  const config = {
    hiddenSize: 8,
    expertWidth: 4,
    topK: 2,
    layers: 4,
    attention: { heads: 2, keyValueHeads: 1, headDim: 4 },
  } as never;

  it('reaches 1, never falls, and takes its rate from the last seconds alone', () => {
    let time = 0;
    const meter = new ProgressMeter(config, 100, 0, () => time);
    let last = 0;
    for (let layer = 0; layer < 4; layer++) {
      time += layer < 2 ? 60_000 : 2000;
      meter.add('attention', 100);
      meter.add('experts', 200);
      const { fraction } = meter.report('experts', layer);
      expect(fraction).toBeGreaterThan(last);
      last = fraction;
      meter.finishLayer(layer);
    }
    const { fraction, tokenLayersPerSecond, etaSeconds } = meter.report('experts', 3);
    expect(fraction).toBe(1);
    expect(etaSeconds).toBe(0);
    expect(tokenLayersPerSecond).toBeCloseTo(50, 5);
  });

  it('starts where an earlier run stopped and says nothing of time before it knows', () => {
    const meter = new ProgressMeter(config, 100, 2, () => 0);
    expect(meter.report('loading', 2)).toMatchObject({ fraction: 0.5, tokenLayersPerSecond: 0, etaSeconds: null });
  });
});
