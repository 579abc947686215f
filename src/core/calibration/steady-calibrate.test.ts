import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { StudioError } from '../base/errors.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { TINY_SHAPE, tinyCheckpoint } from '../checkpoint/tiny-checkpoint.fixture.ts';
import type { LayerStatistics } from '../saliency/layer-statistics.ts';
import { collect, DOMAINS, RUN } from './calibrate.fixture.ts';
import { FailingBackend, type Fault } from './failing-backend.fixture.ts';
import type { BackendDescription, InferenceBackend } from './inference-backend.ts';
import { StoredJournal } from './journal.ts';
import { MemoryStore } from './memory-store.fixture.ts';
import { RunControl } from './run-control.ts';
import { type SteadyOptions, steadyCalibrate } from './steady-calibrate.ts';

const DEVICE_FAULTS: readonly Fault[] = ['graph-failed', 'type-error', 'allocation', 'zeros', 'not-a-number'];

interface Run {
  readonly layers: readonly LayerStatistics[];
  readonly notes: readonly string[];
  readonly opened: readonly string[];
  readonly starts: readonly number[];
  readonly firstLayers: readonly number[];
}

let checkpoint: Checkpoint;
let whole: readonly LayerStatistics[];
/** Steps that a backend takes for the whole run. */
let steps: number;

/** Runs over `backends`, one an opening, the last one again and again. */
async function run(backends: readonly FailingBackend[], options: Partial<SteadyOptions> = {}): Promise<Run> {
  const left = [...backends];
  const notes: string[] = [];
  const opened: string[] = [];
  const starts: number[] = [];
  const layers: LayerStatistics[] = [];
  const firstLayers: number[] = [];
  const given = {
    checkpoint,
    domains: DOMAINS,
    gate: 'model' as const,
    control: new RunControl(),
    journal: new StoredJournal(new MemoryStore(), RUN),
    mayFallBack: true,
    openBackend: async (which: 'chosen' | 'safe'): Promise<InferenceBackend> => {
      opened.push(which);
      const next = left.length > 1 ? left.shift() : left[0];
      return next?.backend ?? expect.fail('no backend');
    },
    onStart: ({ resumedLayers }: { readonly resumedLayers: number }) => void starts.push(resumedLayers),
    onNote: (note: string) => void notes.push(note),
    onProgress: ({ phase, layer }: { readonly phase: string; readonly layer: number }) => {
      if (phase === 'loading') firstLayers.push(layer);
    },
    ...options,
  };
  for await (const layer of steadyCalibrate(given)) layers.push(layer);
  return { layers, notes, opened, starts, firstLayers };
}

/** Counts equal, sums equal but for the rounding of other blocks. */
function expectEqual(found: readonly LayerStatistics[], expected: readonly LayerStatistics[]): void {
  expect(found.map(({ layer }) => layer)).toEqual(expected.map(({ layer }) => layer));
  for (const [i, { domains }] of expected.entries()) {
    for (const [d, { count, tokens, normSum, gateNormSum, maxAbs }] of domains.entries()) {
      const there = found[i]?.domains[d];
      expect(there?.tokens).toBe(tokens);
      expect(there?.count).toEqual(count);
      for (const [name, sums] of Object.entries({ normSum, gateNormSum, maxAbs })) {
        for (const [e, sum] of sums.entries()) {
          const other = there?.[name as 'normSum'][e] ?? Number.NaN;
          expect(Math.abs(other - sum), `${name} of expert ${e}`).toBeLessThanOrEqual(1e-5 * Math.abs(sum));
        }
      }
    }
  }
}

beforeAll(async () => {
  checkpoint = await openCheckpoint(tinyCheckpoint());
  whole = await collect({ checkpoint });
  const healthy = new FailingBackend('webgpu');
  expectEqual((await run([healthy])).layers, whole);
  steps = healthy.steps;
});

describe('steadyCalibrate', () => {
  it('goes on after a backend that dies at any step, to the numbers of an undisturbed run', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...DEVICE_FAULTS),
        fc.integer({ min: 0, max: steps - 1 }),
        async (fault, failsAt) => {
          const dying = new FailingBackend('webgpu', fault, failsAt);
          const { layers, notes, opened, starts } = await run([dying, new FailingBackend('webgpu')]);
          expectEqual(layers, whole);
          expect(dying.closed).toBe(true);
          expect(opened).toEqual(['chosen', 'chosen']);
          expect(notes).toEqual([expect.stringMatching(/smaller blocks\.$/)]);
          expect(starts).toEqual([0]);
        },
      ),
      { numRuns: 10, seed: 4680 },
    );
  });

  it('begins again with the layer that failed, not with the first', async () => {
    const { firstLayers } = await run([new FailingBackend('webgpu', 'zeros', steps - 2), new FailingBackend('webgpu')]);
    expect(firstLayers).toEqual([0, 1, 2, 2]);
  });

  it('falls back to the safe backend after the second failure in one layer, and says so', async () => {
    const { layers, notes, opened } = await run([
      new FailingBackend('webgpu', 'graph-failed', 5),
      new FailingBackend('webgpu', 'zeros', 4),
      new FailingBackend('wasm'),
    ]);
    expectEqual(layers, whole);
    expect(opened).toEqual(['chosen', 'chosen', 'safe']);
    expect(notes[1]).toMatch(/device was lost\. It had failed twice in one layer: the run went on without it\.$/);
  });

  it('counts failures a layer: a device that is lost once in each of them is not given up', async () => {
    const backends = whole.map(() => new FailingBackend('webgpu', 'zeros'));
    const failed = new Set<number>();
    const { layers, opened } = await run([...backends, new FailingBackend('webgpu')], {
      onProgress: ({ phase, layer }) => {
        const current = backends[failed.size];
        if (phase !== 'loading' || failed.has(layer) || current === undefined) return;
        failed.add(layer);
        current.failsAt = current.steps + 5;
      },
    });
    expectEqual(layers, whole);
    expect(opened).toEqual(['chosen', ...whole.map(() => 'chosen')]);
  });

  it.each<readonly [BackendDescription['id'], Fault, boolean, number, string]>([
    ['webgpu', 'graph-failed', false, 3, 'graph-failed'],
    ['wasm', 'graph-failed', true, 3, 'graph-failed'],
    ['wasm', 'allocation', true, 3, 'out-of-memory'],
    ['wasm', 'type-error', true, 1, 'unusable'],
  ])('ends %s that keeps failing (%s) with its failure', async (id, fault, mayFallBack, openings, code) => {
    const opened: string[] = [];
    const failure: unknown = await run([new FailingBackend(id, fault, 3)], {
      mayFallBack,
      onBackend: ({ id: backend }) => opened.push(backend),
    }).catch((error: unknown) => error);
    if (code === 'unusable') expect(failure).toBeInstanceOf(TypeError);
    else expect(failure).toMatchObject({ family: 'backend', code } satisfies Partial<StudioError>);
    expect(opened).toHaveLength(openings);
  });

  it('takes zeros for the model’s own where the device still computes', async () => {
    // Down projections of zeros: every norm is 0, and nothing is wrong with that.
    const backend = new FailingBackend('webgpu');
    const silent: InferenceBackend = new Proxy(backend.backend, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (key !== 'uploadStacks') return typeof value === 'function' ? value.bind(target) : value;
        return async (stacks: Parameters<InferenceBackend['uploadStacks']>[0]) => {
          const loaded = await target.uploadStacks(stacks);
          return loaded.map((tensor) =>
            tensor.dims[2] === TINY_SHAPE.expertWidth ? target.zeros(tensor.dims) : tensor,
          );
        };
      },
    });
    const { layers, notes } = await run([backend], { openBackend: async () => silent });
    expect(notes).toEqual([]);
    const norms = layers.flatMap(({ domains }) => domains.flatMap(({ normSum }) => [...normSum]));
    expect(new Set(norms)).toEqual(new Set([0]));
    expect(layers[0]?.domains[0]?.count).toEqual(whole[0]?.domains[0]?.count);
  });

  it('does not start again what the person or the model ended', async () => {
    const control = new RunControl();
    control.cancel();
    await expect(run([new FailingBackend('webgpu')], { control })).rejects.toThrow(/cancelled/);
    const tooLong = [[new Int32Array(100_000)]];
    await expect(run([new FailingBackend('webgpu')], { domains: tooLong })).rejects.toMatchObject({
      code: 'sequence-too-long',
    });
  });
});
