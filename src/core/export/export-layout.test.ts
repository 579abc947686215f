import { beforeAll, describe, expect, it } from 'vitest';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { serialisePlan } from '../plan/plan-file.ts';
import { layoutExport } from './export-layout.ts';
import { FaultFolder } from './fault-folder.fixture.ts';
import { fixtureModel, fixturePlan } from './small-model.fixture.ts';
import { writeExport } from './write-export.ts';

const ALL = [0, 1, 2, 3];

async function exported(checkpoint: Checkpoint, keep: readonly (readonly number[])[]): Promise<FaultFolder> {
  const layout = await layoutExport(checkpoint, serialisePlan(fixturePlan(checkpoint, keep)));
  const target = new FaultFolder();
  await writeExport({ checkpoint, layout, target, resume: false });
  return target;
}

async function tensorBytes(checkpoint: Checkpoint, name: string): Promise<Uint8Array> {
  const tensor = checkpoint.tensors.get(name);
  if (tensor === undefined) throw new Error(`no tensor ${name}`);
  return (await checkpoint.folder.open(tensor.file)).read(tensor.offset, tensor.byteLength);
}

const expertName = (layer: number, expert: number, projection: string): string =>
  `model.layers.${layer}.mlp.experts.${expert}.${projection}_proj.weight`;

describe.each([true, false])('surgery (sharded: %s)', (sharded) => {
  const source = fixtureModel({ sharded });
  let before: Checkpoint;
  beforeAll(async () => {
    before = await openCheckpoint(source.asSource());
  });

  it('keeps every byte of every file when nothing is dropped', async () => {
    const target = await exported(before, [ALL, ALL]);
    for (const [name, bytes] of source.files) expect([name, target.files.get(name)]).toEqual([name, bytes]);
    expect([...target.files.keys()].filter((name) => !source.files.has(name))).toEqual([
      'reap-studio.plan.json',
      'reap-studio.manifest.json',
    ]);
  });

  it('moves kept experts to their new index with the same bytes, and cuts the router to their rows', async () => {
    const after = await openCheckpoint(
      (
        await exported(before, [
          [1, 3],
          [0, 2],
        ])
      ).asSource(),
    );
    for (const projection of ['gate', 'up', 'down']) {
      for (const [layer, to, from] of [
        [0, 0, 1],
        [0, 1, 3],
        [1, 0, 0],
        [1, 1, 2],
      ] as const) {
        expect(await tensorBytes(after, expertName(layer, to, projection))).toEqual(
          await tensorBytes(before, expertName(layer, from, projection)),
        );
      }
      expect(after.tensors.has(expertName(0, 2, projection))).toBe(false);
    }
    const rows = await tensorBytes(before, 'model.layers.0.mlp.gate.weight');
    const rowBytes = rows.byteLength / 4;
    const expected = [...rows.subarray(rowBytes, 2 * rowBytes), ...rows.subarray(3 * rowBytes)];
    expect([...(await tensorBytes(after, 'model.layers.0.mlp.gate.weight'))]).toEqual(expected);
    expect(after.tensors.get('model.layers.0.mlp.gate.weight')?.shape).toEqual([2, 8]);
  });

  it('leaves every other tensor and file alone', async () => {
    const target = await exported(before, [
      [1, 3],
      [0, 2],
    ]);
    const after = await openCheckpoint(target.asSource());
    const untouched = [...before.tensors.values()].filter(
      ({ role }) => role.kind !== 'expert' && role.kind !== 'router',
    );
    expect(untouched.length).toBeGreaterThan(10);
    for (const { name } of untouched) expect(await tensorBytes(after, name)).toEqual(await tensorBytes(before, name));
    for (const name of ['tokenizer.json', 'README.md']) expect(target.files.get(name)).toEqual(source.files.get(name));
  });

  it('rewrites the two counts in config.json and nothing else', async () => {
    const target = await exported(before, [
      [1, 3],
      [0, 2],
    ]);
    const text = (folder: FaultFolder): string => new TextDecoder().decode(folder.files.get('config.json'));
    expect(text(target)).toBe(
      text(source)
        .replace('"num_experts": 4,\n', '"num_experts": 2,\n')
        .replace('"num_local_experts": 4', '"num_local_experts": 2'),
    );
  });
});

describe('shards', () => {
  const source = fixtureModel({ sharded: true });

  it('that are left empty are dropped and the rest numbered anew', async () => {
    const before = await openCheckpoint(source.asSource());
    const target = await exported(before, [
      [1, 3],
      [0, 1],
    ]);
    expect([...target.files.keys()].filter((name) => name.endsWith('.safetensors'))).toEqual([
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
    ]);
    const after = await openCheckpoint(target.asSource());
    expect(after.tensors.size).toBe(before.tensors.size - 2 * 2 * 3);
    expect(await tensorBytes(after, expertName(1, 1, 'up'))).toEqual(await tensorBytes(before, expertName(1, 1, 'up')));
  });

  it('keep their metadata', async () => {
    const after = await openCheckpoint(
      (await exported(await openCheckpoint(source.asSource()), [[1], [0]])).asSource(),
    );
    for (const { header } of after.shards) expect([...header.metadata]).toEqual([['format', 'pt']]);
  });
});

describe('what is copied beside the weights', () => {
  it('leaves out weights in other formats and what an earlier export wrote about itself', async () => {
    const source = fixtureModel({ sharded: false });
    for (const name of [
      'pytorch_model.bin',
      'pytorch_model.bin.index.json',
      'model.gguf',
      'reap-studio.plan.json',
      'reap-studio.manifest.json',
      '.DS_Store',
    ]) {
      source.files.set(name, new Uint8Array([1]));
    }
    const checkpoint = await openCheckpoint(source.asSource());
    const layout = await layoutExport(checkpoint, serialisePlan(fixturePlan(checkpoint, [[1], [0]])));
    expect(layout.companions.map(({ name }) => name)).toEqual(['README.md', 'tokenizer.json']);
  });
});

describe('a plan that does not fit', () => {
  it.each([
    ['of uneven layers', [[0, 1], [0]], 'uneven-layers'],
    ['of another model', undefined, 'other-model'],
  ] as const)('%s is refused', async (_what, keep, code) => {
    const checkpoint = await openCheckpoint(fixtureModel({ sharded: false }).asSource());
    const plan = fixturePlan(
      { ...checkpoint, ...(keep === undefined ? { fingerprint: '0'.repeat(64) } : {}) },
      keep ?? [[0], [0]],
    );
    await expect(layoutExport(checkpoint, serialisePlan(plan))).rejects.toMatchObject({ family: 'plan', code });
  });
});
