import { expect, test } from 'vitest';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { TINY_SHAPE, tinyCheckpoint } from '../checkpoint/tiny-checkpoint.fixture.ts';
import { collect, withLimits } from './calibrate.fixture.ts';
import type { InferenceBackend } from './inference-backend.ts';

const GROUP = { groupWeightBytes: 2 * 3 * TINY_SHAPE.hiddenSize * TINY_SHAPE.expertWidth * 4 };

/** Counts what lies with the backend: groups of experts from the moment their loading begins until they are disposed of. */
function counted(backend: InferenceBackend): { readonly backend: InferenceBackend; live: number; most: number } {
  const counts = { backend, live: 0, most: 0 };
  const upload = backend.uploadStacks.bind(backend);
  Object.defineProperty(backend, 'uploadStacks', {
    value: async (stacks: Parameters<typeof upload>[0]) => {
      const tensors = await upload(stacks);
      // Three stacks are a group's; a layer's first half has more.
      const [first] = tensors;
      if (stacks.length !== 3 || first === undefined) return tensors;
      counts.live += 1;
      counts.most = Math.max(counts.most, counts.live);
      const dispose = first.dispose.bind(first);
      first.dispose = () => {
        counts.live -= 1;
        dispose();
      };
      return tensors;
    },
  });
  return counts;
}

test('how many groups are ahead, and whether runs block, changes no bit of the statistics', async () => {
  const checkpoint = await openCheckpoint(tinyCheckpoint());
  const one = await collect({ checkpoint, backend: withLimits({ ...GROUP, groupsAhead: 0 }) });
  expect(await collect({ checkpoint, backend: withLimits({ ...GROUP, groupsAhead: 1, runsBlock: false }) })).toEqual(
    one,
  );
  expect(await collect({ checkpoint, backend: withLimits({ ...GROUP, groupsAhead: 1, runsBlock: true }) })).toEqual(
    one,
  );
});

test.each([
  ['in turn', { groupsAhead: 0, runsBlock: true }, 1],
  ['beside a device', { groupsAhead: 1, runsBlock: false }, 2],
  ['beside a thread', { groupsAhead: 1, runsBlock: true }, 2],
] as const)('%s at most so many groups lie with the backend, and none when it has ended', async (_, limits, most) => {
  const checkpoint = await openCheckpoint(tinyCheckpoint());
  const counts = counted(withLimits({ ...GROUP, ...limits }));
  await collect({ checkpoint, backend: counts.backend });
  expect([counts.most, counts.live]).toEqual([most, 0]);
});

test('a run that fails leaves no group with the backend', async () => {
  const checkpoint = await openCheckpoint(tinyCheckpoint());
  const counts = counted(withLimits({ ...GROUP, groupsAhead: 1, runsBlock: false }));
  const load = counts.backend.loadGraph.bind(counts.backend);
  Object.defineProperty(counts.backend, 'loadGraph', {
    value: async (name: string, model: Uint8Array<ArrayBuffer>) => {
      const graph = await load(name, model);
      return name === 'routed experts' ? { ...graph, run: () => Promise.reject(new Error('no run')) } : graph;
    },
  });
  await expect(collect({ checkpoint, backend: counts.backend })).rejects.toThrow('no run');
  expect([counts.most, counts.live]).toEqual([2, 0]);
});
