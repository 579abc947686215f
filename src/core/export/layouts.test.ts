import { describe, expect, it } from 'vitest';
import type { Checkpoint, CheckpointTensor, Projection } from '../checkpoint/checkpoint.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { decodeStored, readStored } from '../checkpoint/read-weights.ts';
import { summariseCheckpoint } from '../checkpoint/summarise.ts';
import { weightTable } from '../checkpoint/weight-table.ts';
import { serialisePlan } from '../plan/plan-file.ts';
import { summarisePlan } from '../plan/plan-summary.ts';
import type { PruningPlan } from '../plan/pruning-plan.ts';
import { layoutExport } from './export-layout.ts';
import { type FamilyModel, familyModel } from './family-model.fixture.ts';
import { FaultFolder } from './fault-folder.fixture.ts';
import {
  DEEPSEEK_MTP,
  ERNIE,
  GPT_OSS_MXFP4,
  IDENTITY,
  isExpert,
  LLAMA4_NESTED,
  MINIMAX_FP8,
  PREFIXED_MTP,
  QWEN2_FUSED,
} from './layouts.fixture.ts';
import { outputTensors } from './output-tensors.ts';
import { fixturePlan } from './small-model.fixture.ts';
import { verifyExport } from './verify.ts';
import { writeExport } from './write-export.ts';

async function pruned(
  model: FamilyModel,
  keep: readonly (readonly number[])[],
  nextToken: PruningPlan['nextToken'] = 'prune',
) {
  const options = model.architecture === undefined ? {} : { architecture: model.architecture };
  const before = await openCheckpoint(familyModel(model).asSource(), options);
  const rows = before.moeLayers.map((_, row) => keep[row] ?? keep[0] ?? []);
  const plan = { ...fixturePlan(before, rows), nextToken };
  const target = new FaultFolder();
  const layout = await layoutExport(before, serialisePlan(plan));
  await writeExport({ checkpoint: before, layout, target, resume: false });
  const after = await openCheckpoint(target.asSource(), options);
  const config = JSON.parse(new TextDecoder().decode(target.files.get('config.json')));
  return { before, after, plan, target, config };
}

async function expert(checkpoint: Checkpoint, layer: number, index: number): Promise<Float32Array[]> {
  const table = weightTable(checkpoint);
  const keys = table.isFused(layer)
    ? (['gate-up', 'down'] as const).map((of) => ({ fused: of, layer }))
    : (['gate', 'up', 'down'] as const satisfies readonly Projection[]).map((projection) => ({
        expert: index,
        projection,
        layer,
      }));
  const parts = keys.flatMap((key) => [table.weight(key), table.bias(key)]).filter((weight) => weight !== undefined);
  expect(parts.length).toBeGreaterThan(1);
  const own = table.isFused(layer) ? parts.map((weight) => table.slice(weight, index)) : parts;
  return (await readStored(checkpoint, own)).map(decodeStored);
}

async function bytesOf(checkpoint: Checkpoint, { file, offset, byteLength }: CheckpointTensor): Promise<Uint8Array> {
  return (await checkpoint.folder.open(file)).read(offset, byteLength);
}

/** Rows of the entries kept of a router's tensor, identity experts' after them. */
async function routerBytes(checkpoint: Checkpoint, tensor: CheckpointTensor, keep: readonly number[]) {
  const bytes = await bytesOf(checkpoint, tensor);
  const { experts, router } = checkpoint.config;
  const size = bytes.byteLength / (experts + router.identityExperts);
  const rows = [...keep, ...Array.from({ length: router.identityExperts }, (_, index) => experts + index)];
  return rows.flatMap((row) => [...bytes.subarray(row * size, (row + 1) * size)]);
}

const KEEP = [
  [1, 3, 4, 7],
  [0, 2, 5, 6],
];

const LAYOUTS: readonly (readonly [string, FamilyModel])[] = [
  ['fused [E, 2I, H]', QWEN2_FUSED],
  ['fused [E, H, 2I] in a nested model', LLAMA4_NESTED],
  ['FP8 in blocks, bias on the block', MINIMAX_FP8],
  ['MXFP4 with biases', GPT_OSS_MXFP4],
  ['bias [1, E]', ERNIE],
  ['a further-token layer after the last', DEEPSEEK_MTP],
  ['a further-token layer under a prefix', PREFIXED_MTP],
  ['identity experts', IDENTITY],
];

describe.each(LAYOUTS)('%s', (_name, model) => {
  it('keeps the numbers of kept experts, their router rows and every other byte', async () => {
    const { before, after, plan, target } = await pruned(model, KEEP);
    expect(after.config.experts).toBe(4);
    expect(after.moeLayers).toEqual(before.moeLayers);
    for (const { layer, keep } of plan.layers) {
      for (const [index, original] of keep.entries())
        expect(await expert(after, layer, index)).toEqual(await expert(before, layer, original));
    }
    const last = plan.layers.at(-1)?.keep ?? [];
    const seen = new Set<string>();
    for (const tensor of before.tensors.values()) {
      const { role, name } = tensor;
      if (role.kind === 'expert' || role.kind === 'fused-experts') continue;
      seen.add(role.kind);
      const kept = role.nextToken
        ? last
        : (plan.layers.find(({ layer }) => 'layer' in role && layer === role.layer)?.keep ?? []);
      const found = after.tensors.get(name);
      if (found === undefined) throw new Error(`"${name}" is gone`);
      const expected =
        role.kind === 'router' ? await routerBytes(before, tensor, kept) : [...(await bytesOf(before, tensor))];
      expect([name, [...(await bytesOf(after, found))]]).toEqual([name, expected]);
    }
    expect([...seen]).toEqual(expect.arrayContaining(['router', 'part']));
    expect((await verifyExport({ folder: target.asSource(), source: before })).problems).toEqual([]);
  });

  it('weighs what the summary of the plan says', async () => {
    const { before, after, plan } = await pruned(model, KEEP);
    const { bytes, parameters } = summarisePlan(summariseCheckpoint(before), plan);
    const found = summariseCheckpoint(after);
    expect([bytes.after, parameters.after]).toEqual([found.totalBytes, found.totalParameters]);
    expect(bytes.before).toBeGreaterThan(bytes.after);
  });

  it('comes back to the same bytes when nothing is dropped', async () => {
    const { before, target } = await pruned(model, [[0, 1, 2, 3, 4, 5, 6, 7]]);
    for (const name of ['config.json', 'model.safetensors']) {
      const source = await before.folder.open(name);
      expect(Buffer.compare(target.files.get(name) ?? new Uint8Array(), await source.read(0, source.size))).toBe(0);
    }
  });
});

describe('layers that predict further tokens', () => {
  const nextTokenNames = ({ tensors }: Checkpoint): string[] =>
    [...tensors.values()].filter(({ role }) => role.nextToken).map(({ name }) => name);

  it.each([
    ['after the last', DEEPSEEK_MTP, 'num_nextn_predict_layers'],
    ['under a prefix', PREFIXED_MTP, 'mtp_num_hidden_layers'],
  ] as const)('%s go with all they have, and their count becomes 0', async (_place, model, key) => {
    const { before, after, config, plan, target } = await pruned(model, KEEP, 'drop');
    expect(nextTokenNames(before).length).toBeGreaterThan(20);
    expect(nextTokenNames(after)).toEqual([]);
    expect(config[key]).toBe(0);
    expect((await verifyExport({ folder: target.asSource(), source: before })).problems).toEqual([]);
    const { bytes, parameters } = summarisePlan(summariseCheckpoint(before), plan);
    const found = summariseCheckpoint(after);
    expect([bytes.after, parameters.after]).toEqual([found.totalBytes, found.totalParameters]);
  });

  it.each([
    ['after the last', DEEPSEEK_MTP, 'num_nextn_predict_layers', 'model.layers.2.'],
    ['under a prefix', PREFIXED_MTP, 'mtp_num_hidden_layers', 'mtp.layers.0.'],
  ] as const)('%s keep the experts that the last layer keeps', async (_place, model, key, prefix) => {
    const { before, after, config, plan } = await pruned(model, KEEP);
    expect(config[key]).toBe(1);
    const last = plan.layers.at(-1)?.keep ?? [];
    for (const projection of ['gate', 'up', 'down']) {
      const names = (checkpoint: Checkpoint): string[] =>
        nextTokenNames(checkpoint).filter((name) => isExpert(name) && name.includes(`${projection}_proj`));
      expect(names(after)).toHaveLength(4);
      for (const [index, original] of last.entries()) {
        const [from, to] = [original, index].map((e) => `${prefix}mlp.experts.${e}.${projection}_proj.weight`);
        const [source, target] = [before.tensors.get(from ?? ''), after.tensors.get(to ?? '')];
        if (source === undefined || target === undefined) throw new Error(`no "${from}"`);
        expect(await bytesOf(after, target)).toEqual(await bytesOf(before, source));
      }
    }
    expect(after.tensors.get(`${prefix}mlp.gate.weight`)?.shape).toEqual([4, 32]);
  });

  it('that config.json counts but the checkpoint lacks stay counted', async () => {
    for (const nextToken of ['prune', 'drop'] as const) {
      const { config } = await pruned(MINIMAX_FP8, KEEP, nextToken);
      expect([config.num_mtp_modules, config.use_mtp]).toEqual([3, true]);
    }
  });

  it('in a file that the index does not name are not left behind', async () => {
    const source = familyModel(DEEPSEEK_MTP);
    source.files.set('mtp.safetensors', new Uint8Array(16));
    const checkpoint = await openCheckpoint(source.asSource());
    const keep = checkpoint.moeLayers.map(() => [0, 1, 4, 5]);
    await expect(layoutExport(checkpoint, serialisePlan(fixturePlan(checkpoint, keep)))).rejects.toMatchObject({
      code: 'unlisted-shard',
      details: { file: 'mtp.safetensors' },
    });
  });

  it('need a plan that says so: it stands in the exported plan', async () => {
    const { target } = await pruned(DEEPSEEK_MTP, KEEP, 'drop');
    expect(new TextDecoder().decode(target.files.get('reap-studio.plan.json'))).toContain('"nextToken":"drop"');
  });
});

describe('config.json', () => {
  it('is edited in its section, and not where another section has the key', async () => {
    const { config } = await pruned(LLAMA4_NESTED, KEEP);
    expect([config.text_config.num_local_experts, config.vision_config.num_local_experts]).toEqual([4, 8]);
  });

  it('has its lists of counts cut along', async () => {
    const { config } = await pruned(ERNIE, KEEP);
    expect([config.moe_num_experts, config.moe_capacity]).toEqual([4, [4, 4, 4]]);
  });
});

describe('tensors of a router', () => {
  async function routed(change: (tensor: CheckpointTensor) => CheckpointTensor) {
    const checkpoint = await openCheckpoint(familyModel(QWEN2_FUSED).asSource());
    const tensors = new Map([...checkpoint.tensors].map(([name, tensor]) => [name, change(tensor)]));
    return outputTensors({ ...checkpoint, tensors }, fixturePlan(checkpoint, KEEP));
  }

  it.each([
    ['of another length', { shape: [7, 32] }, 'weight'],
    ['whose experts share words', {}, 'qweight'],
    ['that write their shape as data', {}, 'weight_shape'],
  ])('%s are refused', async (_what, fields, suffix) => {
    const change = (tensor: CheckpointTensor): CheckpointTensor =>
      tensor.role.kind === 'router' ? { ...tensor, ...fields, role: { ...tensor.role, suffix } } : tensor;
    await expect(routed(change)).rejects.toMatchObject({ family: 'export', code: 'uncuttable-tensor' });
  });

  it('that hold one scale for all stay whole', async () => {
    const scale = (tensor: CheckpointTensor): CheckpointTensor =>
      tensor.role.kind === 'router' ? { ...tensor, shape: [1], byteLength: 2 } : tensor;
    const outputs = [...(await routed(scale)).values()].flat();
    expect(outputs.find(({ name }) => name === 'model.layers.0.mlp.gate.weight')).toMatchObject({
      shape: [1],
      byteLength: 2,
    });
  });
});
