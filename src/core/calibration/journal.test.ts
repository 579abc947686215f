import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NodeStore } from '../../cli/node-store.ts';
import type { StudioError } from '../base/errors.ts';
import { MemoryFolder } from '../bytes/memory-folder.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { TINY_SHAPE, tinyCheckpoint, tinyCheckpointFiles } from '../checkpoint/tiny-checkpoint.fixture.ts';
import { collect, RUN } from './calibrate.fixture.ts';
import { StoredJournal } from './journal.ts';
import { MemoryStore } from './memory-store.fixture.ts';
import { calibrationRunKey } from './run-key.ts';

/** Bytes that hold not even the tiny model's hidden states. */
const SMALL = 1024;

describe('StoredJournal', () => {
  it('killed after any write, the run goes on to the same statistics', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint());
    const whole = await collect({ checkpoint });
    let kills = 0;
    for (let life = 0; life < 20; life++) {
      const store = new MemoryStore();
      store.life = life;
      const killed = await collect({ checkpoint, journal: new StoredJournal(store, RUN) }).then(
        () => false,
        (error: Error) => error.message === 'killed',
      );
      kills += Number(killed);
      store.life = Number.POSITIVE_INFINITY;
      expect(
        await collect({ checkpoint, journal: new StoredJournal(store, RUN) }),
        `killed after ${life} writes`,
      ).toEqual(whole);
    }
    expect(kills).toBeGreaterThan(8);
  });

  it('killed after any step with hidden states in files alone, it goes on to the same statistics', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint());
    const whole = await collect({
      checkpoint,
      memoryBudget: SMALL,
      journal: new StoredJournal(new MemoryStore(), RUN),
    });
    let life = 0;
    for (let killed = true; killed; life++) {
      const store = new MemoryStore();
      store.life = life;
      const journal = new StoredJournal(store, RUN);
      killed = await collect({ checkpoint, memoryBudget: SMALL, journal }).then(
        () => false,
        (error: StudioError) => error.code === 'cannot-spill' && error.message.includes('killed'),
      );
      store.life = Number.POSITIVE_INFINITY;
      const resumed = await collect({ checkpoint, memoryBudget: SMALL, journal: new StoredJournal(store, RUN) });
      expect(resumed, `killed after ${life} steps`).toEqual(whole);
    }
    expect(life).toBeGreaterThan(15);
  });

  it('keeps a finished run without hidden states, and nothing once it is cleared', async () => {
    const store = new MemoryStore();
    const journal = new StoredJournal(store, RUN);
    await collect({ checkpoint: await openCheckpoint(tinyCheckpoint()), journal });
    expect([...store.files.keys()].sort()).toEqual(['hidden-3.f32', 'state.json']);
    expect(store.files.get('hidden-3.f32')?.byteLength).toBe(0);
    await journal.clear();
    expect([...store.files.keys()]).toEqual([]);
  });

  it('takes hidden states of another length for none', async () => {
    const store = new MemoryStore();
    const journal = new StoredJournal(store, RUN);
    await collect({ checkpoint: await openCheckpoint(tinyCheckpoint()), journal, lastLayer: 0 });
    store.files.set('hidden-1.f32', new Uint8Array(8));
    expect(await journal.load()).toBeUndefined();
  });

  it('takes damaged hidden states, statistics or state for none', async () => {
    for (const file of ['hidden-1.f32', 'state.json']) {
      const store = new MemoryStore();
      const journal = new StoredJournal(store, RUN);
      await collect({ checkpoint: await openCheckpoint(tinyCheckpoint()), journal, lastLayer: 0 });
      expect((await journal.load())?.nextLayer).toBe(1);
      const bytes = store.files.get(file);
      if (bytes === undefined) return expect.fail(file);
      const at = bytes.byteLength >> 1;
      bytes[at] = (bytes[at] ?? 0) ^ 0x80;
      expect(await journal.load(), file).toBeUndefined();
    }
  });

  it('lies on disk between two processes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'journal-'));
    try {
      const checkpoint = await openCheckpoint(tinyCheckpoint());
      await collect({ checkpoint, journal: new StoredJournal(await NodeStore.open(folder), RUN), lastLayer: 1 });
      const started: number[] = [];
      const resumed = await collect({
        checkpoint,
        journal: new StoredJournal(await NodeStore.open(folder), RUN),
        onProgress: ({ layer }) => started.push(layer),
      });
      expect(Math.min(...started)).toBe(2);
      expect(resumed).toEqual(await collect({ checkpoint }));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('calibrationRunKey', () => {
  it('tells weights, text and gate mode apart, though the fingerprint is the same', async () => {
    const [first, second] = await Promise.all(
      [1, 2].map(async (seed) => openCheckpoint(tinyCheckpoint(TINY_SHAPE, seed))),
    );
    if (first === undefined || second === undefined) return expect.fail('fixture');
    expect(second.fingerprint).toBe(first.fingerprint);
    const other = RUN.domains.map((domain) => ({ ...domain, hash: 'f'.repeat(64) }));
    const keys = [
      await calibrationRunKey(first, RUN.domains, 'model'),
      await calibrationRunKey(second, RUN.domains, 'model'),
      await calibrationRunKey(first, other, 'model'),
      await calibrationRunKey(first, RUN.domains, 'reference'),
    ];
    const files = tinyCheckpointFiles();
    const config = new TextDecoder().decode(files.get('config.json'));
    files.set('config.json', new TextEncoder().encode(config.replace('"rope_theta": 10000', '"rope_theta": 20000')));
    keys.push(await calibrationRunKey(await openCheckpoint(new MemoryFolder('tiny', files)), RUN.domains, 'model'));
    expect(new Set(keys).size).toBe(5);
    expect(await calibrationRunKey(await openCheckpoint(tinyCheckpoint()), RUN.domains, 'model')).toBe(keys[0]);
  });
});
