import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { TINY_SHAPE, tinyCheckpoint } from '../checkpoint/tiny-checkpoint.fixture.ts';
import { collect, RUN, withLimits } from './calibrate.fixture.ts';
import { StoredJournal } from './journal.ts';
import { shareMemory } from './memory-budget.ts';
import { MemoryStore } from './memory-store.fixture.ts';

const SMALL = 1024;
const LIMITS = withLimits({}).limits;

describe('shareMemory', () => {
  it('grows every limit with the budget, never beyond the backend, and holds one sequence at least', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint());
    const shares = [2 ** 12, 2 ** 20, 2 ** 26, 2 ** 34].map((budget) =>
      shareMemory(checkpoint, LIMITS, { tokens: 10_000, longest: 33, budget }),
    );
    for (const limit of ['blockTokens', 'groupRows', 'attentionTokens', 'scoreBytes'] as const) {
      const values = shares.map(({ limits }) => limits[limit]);
      expect(values).toEqual([...values].sort((a, b) => a - b));
      expect(values[0]).toBeLessThan(values[2] ?? 0);
      expect(values[3]).toBe(LIMITS[limit]);
    }
    expect(shares[0]?.limits.blockTokens).toBe(33);
    expect(shares.map(({ held }) => held)).toEqual([false, false, true, true]);
  });

  it('counts the weights: a budget that they fill leaves no more than a quarter of it', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint());
    const wide = { ...checkpoint, config: { ...checkpoint.config, expertWidth: 2 ** 20 } };
    const of = (model: typeof checkpoint): number =>
      shareMemory(model, LIMITS, { tokens: 64, longest: 8, budget: 2 ** 22 }).limits.blockTokens;
    expect(of(wide)).toBeLessThan(of(checkpoint));
  });
});

describe('hidden states beyond the budget', () => {
  const open = () => openCheckpoint(tinyCheckpoint());

  it('wait in the journal: statistics are the same, and no more than a block is read at once', async () => {
    const checkpoint = await open();
    const store = new MemoryStore();
    const limits = { ...LIMITS, blockTokens: 33, groupRows: 64 };
    const spilled = await collect({ checkpoint, limits, memoryBudget: SMALL, journal: new StoredJournal(store, RUN) });
    expect(store.reads).toBeGreaterThan(TINY_SHAPE.layers);
    expect(spilled.map(({ layer }) => layer)).toEqual((await collect({ checkpoint })).map(({ layer }) => layer));
    const { limits: cut } = shareMemory(checkpoint, limits, { tokens: 81, longest: 33, budget: SMALL });
    expect(spilled).toEqual(await collect({ checkpoint, limits: cut }));
  });

  it('wait in a scratch journal where there is no other', async () => {
    const checkpoint = await open();
    let made = 0;
    const scratch = async () => {
      made += 1;
      return new StoredJournal(new MemoryStore(), RUN);
    };
    await collect({ checkpoint, memoryBudget: SMALL, scratch });
    await collect({ checkpoint, scratch });
    expect(made).toBe(1);
  });

  it('end the run with a sentence where nothing can be stored', async () => {
    await expect(collect({ checkpoint: await open(), memoryBudget: SMALL })).rejects.toMatchObject({
      family: 'calibration',
      code: 'cannot-spill',
    });
  });
});

describe('a journal that fails', () => {
  it('at any step: a run in memory goes on and says so once', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint());
    const whole = await collect({ checkpoint });
    for (let life = 0; life < 10; life++) {
      const store = new MemoryStore();
      store.life = life;
      const told: unknown[] = [];
      const journal = new StoredJournal(store, RUN);
      const found = await collect({ checkpoint, journal, onJournalFailure: (error) => told.push(error) });
      expect(found).toEqual(whole);
      expect(told).toHaveLength(1);
    }
  });
});
