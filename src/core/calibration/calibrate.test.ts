import { describe, expect, it } from 'vitest';
import { MemoryFolder } from '../bytes/memory-folder.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { TINY_SHAPE, tinyCheckpoint, tinyCheckpointFiles } from '../checkpoint/tiny-checkpoint.fixture.ts';
import { combineDomains, type LayerStatistics, STATISTIC_FIELDS } from '../saliency/layer-statistics.ts';
import type { GateMode } from '../saliency/statistics-file.ts';
import { collect, DOMAINS, RUN, withLimits } from './calibrate.fixture.ts';
import { type CalibrationJournal, StoredJournal } from './journal.ts';
import { MemoryStore } from './memory-store.fixture.ts';
import { RunControl } from './run-control.ts';

function expectClose(found: readonly LayerStatistics[], expected: readonly LayerStatistics[], tolerance: number): void {
  expect(found.map(({ layer }) => layer)).toEqual(expected.map(({ layer }) => layer));
  for (const [i, { domains }] of expected.entries()) {
    for (const [d, domain] of domains.entries()) {
      const other = found[i]?.domains[d];
      expect(other?.tokens).toBe(domain.tokens);
      expect([...(other?.count ?? [])]).toEqual([...domain.count]);
      for (const field of STATISTIC_FIELDS) {
        for (const [e, value] of domain[field].entries())
          expect(Math.abs((other?.[field][e] ?? Number.NaN) - value)).toBeLessThanOrEqual(
            tolerance * Math.max(1e-3, value),
          );
      }
    }
  }
}

describe('calibrate does not depend on how the work is cut', () => {
  it.each([
    ['blocks of a few tokens', { blockTokens: 20 }],
    ['attention one sequence at a time', { attentionTokens: 1 }],
    ['the fused attention kernel', { fusedAttention: true }],
    ['attention in parts of the queries', { scoreBytes: 4096 }],
    ['attention in parts that do not divide the sequence', { scoreBytes: 300 }],
    ['attention a query at a time', { scoreBytes: 1 }],
    ['one expert a run', { groupWeightBytes: 1 }],
    ['runs of a few rows', { groupRows: 3 }],
    ['everything small', { blockTokens: 1, attentionTokens: 1, groupWeightBytes: 1, groupRows: 1 }],
  ])('%s', async (_, limits) => {
    const checkpoint = await openCheckpoint(tinyCheckpoint());
    expectClose(await collect({ checkpoint, backend: withLimits(limits) }), await collect({ checkpoint }), 2e-5);
  });

  it('runs over parts of the text add up to the run over all of it', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint());
    const whole = await collect({ checkpoint });
    const halves = await Promise.all(
      [0, 1].map((half) =>
        collect({ checkpoint, domains: DOMAINS.map((sequences) => sequences.filter((__, i) => i % 2 === half)) }),
      ),
    );
    for (const [i, layer] of whole.entries()) {
      const [first, second] = halves.map((half) => half[i]);
      const sum = (first?.domains[0]?.gateNormSum[3] ?? 0) + (second?.domains[0]?.gateNormSum[3] ?? 0);
      expect(sum).toBeCloseTo(layer.domains[0]?.gateNormSum[3] ?? Number.NaN, 4);
      expect((first?.domains[1]?.tokens ?? 0) + (second?.domains[1]?.tokens ?? 0)).toBe(layer.domains[1]?.tokens);
    }
  });

  it('counts top-k experts for every token', async () => {
    for (const layer of await collect({ checkpoint: await openCheckpoint(tinyCheckpoint()) })) {
      const { tokens, count } = combineDomains(layer);
      expect(count.reduce((sum, n) => sum + n, 0)).toBe(tokens * TINY_SHAPE.topK);
    }
  });
});

function memoryJournal(): CalibrationJournal {
  return new StoredJournal(new MemoryStore(), RUN);
}

describe('a run that is stopped', () => {
  it('goes on after any layer and ends with the same statistics, bit for bit', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint());
    const whole = await collect({ checkpoint });
    for (const lastLayer of [0, 1, 2]) {
      const journal = memoryJournal();
      await collect({ checkpoint, journal, lastLayer });
      expect((await journal.load())?.nextLayer).toBe(lastLayer + 1);
      const started: number[] = [];
      const resumed = await collect({ checkpoint, journal, onProgress: ({ layer }) => started.push(layer) });
      expect(started.filter((layer) => layer <= lastLayer)).toEqual([]);
      expect(resumed).toEqual(whole);
    }
  });

  it('stops between two runs when cancelled, and the journal holds whole layers only', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint());
    const journal = memoryJournal();
    const control = new RunControl();
    const run = collect({
      checkpoint,
      journal,
      control,
      onProgress: ({ layer, phase }) => {
        if (layer === 1 && phase === 'experts') control.cancel();
      },
    });
    await expect(run).rejects.toMatchObject({ name: 'AbortError' });
    expect((await journal.load())?.nextLayer).toBe(1);
    expect(await collect({ checkpoint, journal })).toEqual(await collect({ checkpoint }));
  });

  it('waits while paused and goes on when resumed', async () => {
    let pauses = 0;
    const control = new RunControl(() => {
      pauses += 1;
    });
    control.pause();
    let finished = false;
    const run = collect({ checkpoint: await openCheckpoint(tinyCheckpoint()), control }).then(() => {
      finished = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(finished).toBe(false);
    expect(pauses, 'said once, when the pause takes effect').toBe(1);
    control.resume();
    await run;
    expect(finished).toBe(true);
  });
});

describe('calibrate refuses', () => {
  it('weights that give no finite numbers, naming layer and expert', async () => {
    const files = tinyCheckpointFiles();
    const checkpoint = await openCheckpoint(new MemoryFolder('tiny', files));
    const tensor = checkpoint.tensors.get('model.layers.2.mlp.experts.3.down_proj.weight');
    const file = files.get('model.safetensors');
    if (tensor === undefined || file === undefined) return expect.fail('fixture');
    new DataView(file.buffer).setFloat32(tensor.offset, Number.NaN, true);
    const damaged = await openCheckpoint(new MemoryFolder('tiny', files));
    await expect(collect({ checkpoint: damaged })).rejects.toMatchObject({
      code: 'non-finite',
      details: { layer: 2, expert: 3 },
    });
  });

  it.each([
    ['no tokens', [[]], 'no-tokens'],
    ['a sequence longer than the model takes', [[new Int32Array(129)]], 'sequence-too-long'],
  ])('%s', async (_, domains, code) => {
    await expect(collect({ checkpoint: await openCheckpoint(tinyCheckpoint()), domains })).rejects.toMatchObject({
      code,
    });
  });
});

describe('a model with rotary positions scaled in a way that nobody knows', () => {
  it('opens, and is refused before it is computed', async () => {
    const files = tinyCheckpointFiles();
    const config = new TextDecoder().decode(files.get('config.json'));
    const scaled = config.replace(
      '"rope_theta"',
      '"rope_scaling": { "rope_type": "spiral", "factor": 4 },\n  "rope_theta"',
    );
    files.set('config.json', new TextEncoder().encode(scaled));
    const checkpoint = await openCheckpoint(new MemoryFolder('tiny', files));
    await expect(collect({ checkpoint })).rejects.toMatchObject({
      code: 'unsupported-rope',
      message: expect.stringContaining('spiral'),
    });
  });
});

describe('a run of some layers', () => {
  it('gives those alone, and leaves the journal of a longer run as it was', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint());
    const journal = memoryJournal();
    await collect({ checkpoint, journal, lastLayer: 2 });
    const some = await collect({ checkpoint, journal, lastLayer: 0 });
    expect(some.map(({ layer }) => layer)).toEqual([0]);
    expect((await journal.load())?.nextLayer).toBe(3);
  });
});

describe('gate modes', () => {
  it('differ only in the gate: reference renormalises where the model does not', async () => {
    const files = tinyCheckpointFiles();
    const config = new TextDecoder()
      .decode(files.get('config.json'))
      .replace('"norm_topk_prob": true', '"norm_topk_prob": false');
    files.set('config.json', new TextEncoder().encode(config));
    const checkpoint = await openCheckpoint(new MemoryFolder('tiny', files));
    const run = async (gate: GateMode): Promise<LayerStatistics | undefined> =>
      (await collect({ checkpoint, gate }))[0];
    const [model, reference] = [await run('model'), await run('reference')];
    expect(reference?.domains[0]?.count).toEqual(model?.domains[0]?.count);
    expect(reference?.domains[0]?.normSum).toEqual(model?.domains[0]?.normSum);
    const gates = [model, reference].map(
      (layer) => layer?.domains[0]?.gateSum.reduce((sum, gate) => sum + gate, 0) ?? 0,
    );
    expect(gates[1]).toBeCloseTo(model?.domains[0]?.tokens ?? Number.NaN, 4);
    expect(gates[0]).toBeLessThan((gates[1] ?? 0) * 0.9);
  });
});
