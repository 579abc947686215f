import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { serialisePlan } from '../plan/plan-file.ts';
import { layoutExport } from './export-layout.ts';
import { FaultFolder } from './fault-folder.fixture.ts';
import { outputTensors } from './output-tensors.ts';
import { fixturePlan } from './small-model.fixture.ts';
import { verifyExport } from './verify.ts';
import { writeExport } from './write-export.ts';

const GOLDENS = new URL('../../../../shared/goldens/', import.meta.url);

const EQUAL_GROUPS = 'model.reap, same number removed in each group';

interface Golden {
  readonly checkpoint: { readonly files: readonly string[] };
  readonly pruned: Record<
    string,
    {
      readonly retained: Record<string, number[]>;
      readonly config_changes: Record<string, [number, number]>;
      readonly variants: Record<string, { readonly retained: Record<string, number[]> }>;
      readonly tensors: Record<string, { dtype: string; shape: number[]; sha256: string }>;
    }
  >;
}

function open(name: string, config = 'config.json'): { golden: Golden; source: FaultFolder } {
  const folder = new URL(`${name}/`, GOLDENS);
  const golden: Golden = JSON.parse(readFileSync(new URL('golden.json', folder), 'utf8'));
  const files = new Map(
    golden.checkpoint.files.map((file) => [file, new Uint8Array(readFileSync(new URL(file, folder)))]),
  );
  files.set('config.json', new Uint8Array(readFileSync(new URL(config, folder))));
  return { golden, source: new FaultFolder(files) };
}

async function exported(checkpoint: Checkpoint, keep: readonly (readonly number[])[]): Promise<FaultFolder> {
  const layout = await layoutExport(checkpoint, serialisePlan(fixturePlan(checkpoint, keep)));
  const target = new FaultFolder();
  await writeExport({ checkpoint, layout, target, resume: false });
  return target;
}

const AT_HAND = existsSync(GOLDENS);
const NAMES = AT_HAND ? readdirSync(GOLDENS).filter((name) => existsSync(new URL(`${name}/golden.json`, GOLDENS))) : [];

describe.skipIf(!AT_HAND).each(NAMES)('golden %s', (name) => {
  it('gives exactly the tensors that the reference gives, by sha256', async () => {
    const { golden, source } = open(name);
    const checkpoint = await openCheckpoint(source.asSource());
    expect(Object.keys(golden.pruned)).toEqual(['25', '50']);
    for (const { retained, tensors } of Object.values(golden.pruned)) {
      const plan = fixturePlan(
        checkpoint,
        checkpoint.moeLayers.map((layer) => retained[layer] ?? []),
      );
      const found = Object.fromEntries(
        [...outputTensors(checkpoint, plan).values()].flat().map(({ name: tensor, dtype, shape, ranges }) => {
          const hash = createHash('sha256');
          for (const { file, offset, length } of ranges) {
            hash.update((source.files.get(file) ?? new Uint8Array()).subarray(offset, offset + length));
          }
          return [tensor, { dtype, shape: [...shape], sha256: hash.digest('hex') }];
        }),
      );
      expect(found).toEqual(tensors);
    }
  });

  it.each(['config.json', 'config.v4.json'])('writes a checkpoint that opens and verifies, with %s', async (config) => {
    const { golden, source } = open(name, config);
    const checkpoint = await openCheckpoint(source.asSource());
    for (const { retained, variants, config_changes } of Object.values(golden.pruned)) {
      const chosen = checkpoint.config.router.groups === undefined ? retained : variants[EQUAL_GROUPS]?.retained;
      const target = await exported(
        checkpoint,
        checkpoint.moeLayers.map((layer) => chosen?.[layer] ?? []),
      );
      const after = await openCheckpoint(target.asSource());
      const [counts = []] = Object.values(config_changes);
      expect([checkpoint.config.experts, after.config.experts]).toEqual(counts);
      // In its own spelling, and nothing else: config.v4.json spells some counts as the hub does.
      const keys = checkpoint.architecture.config.experts.filter((key) => Object.hasOwn(checkpoint.configJson, key));
      if (config === 'config.json') expect(keys).toEqual(Object.keys(config_changes));
      expect(keys.length).toBeGreaterThan(0);
      const changed = Object.fromEntries(keys.map((key) => [key, counts[1]]));
      expect(after.configJson).toEqual({ ...checkpoint.configJson, ...changed });
      expect((await verifyExport({ folder: target.asSource(), source: checkpoint })).problems).toEqual([]);
    }
  });

  it('refuses to leave a grouped router groups of unlike size', async () => {
    const { golden, source } = open(name);
    const checkpoint = await openCheckpoint(source.asSource());
    const { groups, experts } = checkpoint.config.router;
    if (groups === undefined) return;
    const size = experts / groups.count;
    for (const { retained } of Object.values(golden.pruned)) {
      const keep = checkpoint.moeLayers.map((layer) => retained[layer] ?? []);
      const even = keep.every((kept) => {
        const inFirst = kept.filter((expert) => expert < size).length;
        return (
          inFirst * groups.count === kept.length && kept.filter((expert) => expert >= experts - size).length === inFirst
        );
      });
      if (even) continue;
      await expect(layoutExport(checkpoint, serialisePlan(fixturePlan(checkpoint, keep)))).rejects.toMatchObject({
        family: 'plan',
        code: 'uneven-groups',
      });
    }
  });

  it('gives back the very shards, index and config when nothing is dropped: Python wrote them', async () => {
    const { source } = open(name);
    const checkpoint = await openCheckpoint(source.asSource());
    const target = await exported(
      checkpoint,
      checkpoint.moeLayers.map(() => Array.from({ length: checkpoint.config.experts }, (_, expert) => expert)),
    );
    for (const [file, bytes] of source.files)
      expect([file, Buffer.compare(target.files.get(file) ?? new Uint8Array(), bytes)]).toEqual([file, 0]);
  });
});
