import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodeBackend } from '../../cli/node-backend.ts';
import { MemoryFolder } from '../bytes/memory-folder.ts';
import { runFirstHalf } from '../calibration/first-half.ts';
import { LayerGraphs } from '../calibration/layer-graphs.ts';
import { loadLayerWeights } from '../calibration/layer-weights.ts';
import { cutIntoBlocks } from '../calibration/token-blocks.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { decodeStored, readStored } from '../checkpoint/read-weights.ts';
import { summariseCheckpoint } from '../checkpoint/summarise.ts';
import { weightTable } from '../checkpoint/weight-table.ts';
import { layoutExport } from '../export/export-layout.ts';
import { FaultFolder } from '../export/fault-folder.fixture.ts';
import { fixturePlan } from '../export/small-model.fixture.ts';
import { verifyExport } from '../export/verify.ts';
import { writeExport } from '../export/write-export.ts';
import { leastKept } from '../plan/expert-groups.ts';
import { serialisePlan } from '../plan/plan-file.ts';
import { architectures } from './registry.ts';

const SHARED = new URL('../../../../shared/goldens/', import.meta.url);
const OWN = new URL('../../../tools/goldens/data/', import.meta.url);

/** Tiny checkpoints by the row that reads them. */
const FOLDERS: readonly (readonly [id: string, folder: URL])[] = [
  ...['minimax_m2', 'qwen3_moe', 'qwen2_moe', 'mixtral', 'olmoe', 'deepseek_v2', 'deepseek_v3', 'glm4_moe'].map(
    (name) => [name, new URL(`${name}/`, SHARED)] as const,
  ),
  ['deepseek_v2', new URL('deepseek_v2_group/', SHARED)],
  ['minimax_m2', new URL('minimax_m2_fp8_b128/', SHARED)],
  ['ernie4_5_moe', new URL('ernie4_5_moe/', SHARED)],
  ['gpt_oss', new URL('gpt_oss/', SHARED)],
  ['llama4_text', new URL('llama4/', SHARED)],
  ...readdirSync(OWN).map((name) => [name, new URL(`${name}/`, OWN)] as const),
];
const AT_HAND = FOLDERS.filter(([, folder]) => existsSync(folder));

function filesOf(folder: URL): Map<string, Uint8Array<ArrayBuffer>> {
  const names = readdirSync(folder).filter((name) => name === 'config.json' || name.startsWith('model'));
  return new Map(names.map((name) => [name, new Uint8Array(readFileSync(new URL(name, folder)))]));
}

function keepingFirst(checkpoint: Checkpoint, count: number): (readonly number[])[] {
  const { experts, router } = checkpoint.config;
  const groups = router.groups?.count ?? 1;
  const size = experts / groups;
  const keep = Array.from({ length: experts }, (_, expert) => expert).filter(
    (expert) => expert % size < count / groups,
  );
  return checkpoint.moeLayers.map(() => keep);
}

async function exported(checkpoint: Checkpoint, keep: readonly (readonly number[])[]): Promise<FaultFolder> {
  const target = new FaultFolder();
  const layout = await layoutExport(checkpoint, serialisePlan(fixturePlan(checkpoint, keep)));
  await writeExport({ checkpoint, layout, target, resume: false });
  return target;
}

it('every row has a tiny checkpoint, which it reads', () => {
  expect(new Set(FOLDERS.map(([id]) => id))).toEqual(new Set(architectures.all().map(({ id }) => id)));
});

describe.each(AT_HAND)('%s, %s', (id, folder) => {
  const open = (): Promise<Checkpoint> => openCheckpoint(new MemoryFolder('tiny', filesOf(folder)));

  it('gives every tensor a role: nothing of the language model is passed over', async () => {
    const checkpoint = await open();
    expect(checkpoint.architecture.id).toBe(id);
    for (const { name, role } of checkpoint.tensors.values()) {
      if (role.kind === 'ignored') expect(name).toMatch(/visual|vision/);
    }
    const { experts } = checkpoint.config;
    for (const layer of summariseCheckpoint(checkpoint).moeLayers) {
      expect(layer.experts).toBe(experts);
      expect(layer.expertParameters).toBeGreaterThan(
        2 * checkpoint.config.hiddenSize * checkpoint.config.expertWidth - 1,
      );
      expect(layer.routerParametersPerExpert).toBeGreaterThanOrEqual(checkpoint.config.hiddenSize);
    }
  });

  it('computes the router in the graph as a plain product does', async () => {
    const checkpoint = await open();
    const { config, architecture } = checkpoint;
    const backend = nodeBackend(1);
    const layer = checkpoint.moeLayers[0] ?? 0;
    const [block] = cutIntoBlocks([[Int32Array.of(1, 2, 3, 4, 5)]], backend.limits);
    if (block === undefined) return;
    const graphs = new LayerGraphs(backend, checkpoint, 5);
    const weights = await loadLayerWeights(backend, checkpoint, layer);
    const rows = config.experts + config.router.identityExperts;
    let state = 7;
    const hidden = Float32Array.from({ length: 5 * config.hiddenSize }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32 - 0.5;
    });
    const half = await runFirstHalf(
      {
        backend,
        limits: backend.limits,
        graphs,
        weights: weights.steps[0] ?? { inputs: {}, host: new Map() },
        block,
        layer,
        step: 0,
        mixer: config.layerPlans[layer]?.mixer,
        routerRows: rows,
        sharedGate: config.sharedWidth > 0 && architecture.shared?.gated === true,
        feedForward: true,
        afterBatch: async () => undefined,
      },
      hidden,
    );
    const normed = half.normed === undefined ? new Float32Array() : await backend.read(half.normed);
    const table = weightTable(checkpoint);
    const stored = [table.weight({ part: 'router', layer }), table.bias({ part: 'router', layer })];
    const [weight, bias] = (
      await readStored(
        checkpoint,
        stored.flatMap((entry) => entry ?? []),
      )
    ).map(decodeStored);
    for (let token = 0; token < 5; token++) {
      for (let row = 0; row < rows; row++) {
        let sum = bias?.[row] ?? 0;
        for (let h = 0; h < config.hiddenSize; h++) {
          sum +=
            (normed[token * config.hiddenSize + h] ?? Number.NaN) *
            (weight?.[row * config.hiddenSize + h] ?? Number.NaN);
        }
        expect(half.logits?.[token * rows + row]).toBeCloseTo(sum, 4);
      }
    }
    await graphs.release();
  });

  it('gives the source back, byte for byte, when every expert stays', async () => {
    const source = filesOf(folder);
    const checkpoint = await openCheckpoint(new MemoryFolder('tiny', source));
    const target = await exported(checkpoint, keepingFirst(checkpoint, checkpoint.config.experts));
    for (const [name, bytes] of source) {
      if (name.endsWith('.index.json')) continue;
      expect([name, Buffer.compare(target.files.get(name) ?? new Uint8Array(), bytes)]).toEqual([name, 0]);
    }
  });

  it('opens again when pruned, each kept tensor with its own bytes', async () => {
    const checkpoint = await open();
    const { groups, identityExperts } = checkpoint.config.router;
    const count = (checkpoint.config.experts * 3) / 4;
    const kept = groups === undefined ? count : Math.floor(count / groups.count) * groups.count;
    const target = await exported(checkpoint, keepingFirst(checkpoint, kept));
    const again = await openCheckpoint(target.asSource());
    expect(again.config.experts).toBe(kept);
    expect(again.config.router.identityExperts).toBe(identityExperts);
    expect((await verifyExport({ folder: target.asSource(), source: checkpoint })).problems).toEqual([]);
  });

  it('refuses a plan that leaves a token too few experts', async () => {
    const checkpoint = await open();
    const [layer] = summariseCheckpoint(checkpoint).moeLayers;
    const least = layer === undefined ? 0 : leastKept(layer);
    const step = checkpoint.config.router.groups?.count ?? 1;
    if (least <= step) return;
    const plan = fixturePlan(checkpoint, keepingFirst(checkpoint, least - step));
    await expect(layoutExport(checkpoint, serialisePlan(plan))).rejects.toMatchObject({ family: 'plan' });
  });
});
