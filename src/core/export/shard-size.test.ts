import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { serialisePlan } from '../plan/plan-file.ts';
import { type ExportLayout, layoutExport } from './export-layout.ts';
import { contentsOf } from './export-trial.fixture.ts';
import { FaultFolder } from './fault-folder.fixture.ts';
import { fixtureModel, fixturePlan } from './small-model.fixture.ts';
import { verifyExport } from './verify.ts';
import { writeExport } from './write-export.ts';

const INDEX = 'model.safetensors.index.json';
const KEEP = [
  [0, 3],
  [1, 2],
];
const models = new Map<boolean, Checkpoint>();
beforeAll(async () => {
  for (const sharded of [true, false]) models.set(sharded, await openCheckpoint(fixtureModel({ sharded }).asSource()));
});

function modelOf(sharded: boolean): Checkpoint {
  const checkpoint = models.get(sharded);
  if (checkpoint === undefined) throw new Error('no model');
  return checkpoint;
}

const layoutOf = (checkpoint: Checkpoint, shardBytes?: number): Promise<ExportLayout> =>
  layoutExport(checkpoint, serialisePlan(fixturePlan(checkpoint, KEEP)), undefined, { shardBytes });

async function exported(checkpoint: Checkpoint, shardBytes?: number): Promise<FaultFolder> {
  const target = new FaultFolder();
  await writeExport({ checkpoint, layout: await layoutOf(checkpoint, shardBytes), target, resume: false });
  return target;
}

/** Every tensor's name and bytes, wherever it lies. */
async function tensorsOf(folder: FaultFolder): Promise<Map<string, string>> {
  const { tensors } = await openCheckpoint(folder.asSource());
  return new Map(
    [...tensors.values()]
      .map(({ name, file, offset, byteLength }): [string, string] => {
        const bytes = folder.files.get(file)?.subarray(offset, offset + byteLength) ?? [];
        return [name, Buffer.from(bytes).toString('hex')];
      })
      .sort(([left], [right]) => (left < right ? -1 : 1)),
  );
}

describe.each([true, false])('shards of a chosen size (source sharded: %s)', (sharded) => {
  it('hold the same tensors, are no larger than that unless one tensor is, and verify', async () => {
    const checkpoint = modelOf(sharded);
    const own = await tensorsOf(await exported(checkpoint));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 9000 }), async (shardBytes) => {
        const folder = await exported(checkpoint, shardBytes);
        expect(await tensorsOf(folder)).toEqual(own);
        const { shards } = await openCheckpoint(folder.asSource());
        for (const { size, header } of shards)
          expect(size <= shardBytes || header.tensors.length === 1, `${size} of ${shardBytes}`).toBe(true);
        expect(shards.map(({ file }) => file)).toEqual(
          shards.length === 1 && !sharded
            ? ['model.safetensors']
            : shards.map((_, index) => `model-${digits(index + 1)}-of-${digits(shards.length)}.safetensors`),
        );
        expect(folder.files.has(INDEX)).toBe(sharded || shards.length > 1);
        const report = await verifyExport({ folder: folder.asSource(), source: checkpoint });
        expect(report.problems).toEqual([]);
      }),
      { numRuns: 12, examples: [[1], [1_000_000]] },
    );
  });

  it('are few: a shard ends only where the next tensor would not fit', async () => {
    const { shards } = await layoutOf(modelOf(sharded), 4000);
    expect(shards.length).toBeGreaterThan(1);
    for (const [index, shard] of shards.entries()) {
      const next = [...(shards[index + 1]?.tensors ?? [])].sort(
        (a, b) => a.sourceFile.localeCompare(b.sourceFile) || (a.ranges[0]?.offset ?? 0) - (b.ranges[0]?.offset ?? 0),
      )[0];
      // An entry of the header is counted as somewhat larger than it can be.
      if (next !== undefined)
        expect(shard.size + next.byteLength + (shard.tensors.length + 1) * 400).toBeGreaterThan(4000);
    }
  });

  it('carry the metadata of the source', async () => {
    const { shards } = await openCheckpoint((await exported(modelOf(sharded), 4000)).asSource());
    for (const { header } of shards) expect(header.metadata).toEqual(new Map([['format', 'pt']]));
  });
});

function digits(value: number): string {
  return String(value).padStart(5, '0');
}

it('is part of what an unfinished export is held against', async () => {
  const checkpoint = modelOf(true);
  const target = new FaultFolder(new Map(), { writeFailsAt: 5000, kills: true });
  await expect(
    writeExport({ checkpoint, layout: await layoutOf(checkpoint, 3000), target, resume: false }),
  ).rejects.toMatchObject({ code: 'write-failed' });
  const resume = async (shardBytes?: number): Promise<FaultFolder> => {
    const revived = new FaultFolder(target.files);
    await writeExport({ checkpoint, layout: await layoutOf(checkpoint, shardBytes), target: revived, resume: true });
    return revived;
  };
  await expect(resume()).rejects.toThrow('another size of the shards');
  await expect(resume(4000)).rejects.toMatchObject({ code: 'target-not-empty' });
  expect(contentsOf(await resume(3000))).toEqual(contentsOf(await exported(checkpoint, 3000)));
});
