import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { serialisePlan } from '../plan/plan-file.ts';
import { layoutExport } from './export-layout.ts';
import { FaultFolder } from './fault-folder.fixture.ts';
import { fixturePlan } from './small-model.fixture.ts';
import { verifyExport } from './verify.ts';
import { writeExport } from './write-export.ts';

const GOLDENS = new URL('../../../../shared/goldens/', import.meta.url);

interface Golden {
  readonly checkpoint: { readonly files: readonly string[] };
  readonly pruned: Record<
    string,
    {
      readonly retained: Record<string, number[]>;
      readonly tensors: Record<string, { dtype: string; shape: number[]; sha256: string }>;
    }
  >;
}

function open(name: string): { golden: Golden; source: FaultFolder } {
  const folder = new URL(`${name}/`, GOLDENS);
  const golden: Golden = JSON.parse(readFileSync(new URL('golden.json', folder), 'utf8'));
  const files = ['config.json', ...golden.checkpoint.files];
  return {
    golden,
    source: new FaultFolder(new Map(files.map((file) => [file, new Uint8Array(readFileSync(new URL(file, folder)))]))),
  };
}

async function exported(checkpoint: Checkpoint, keep: readonly (readonly number[])[]): Promise<FaultFolder> {
  const layout = await layoutExport(checkpoint, serialisePlan(fixturePlan(checkpoint, keep)));
  const target = new FaultFolder();
  await writeExport({ checkpoint, layout, target, resume: false });
  return target;
}

describe.skipIf(!existsSync(GOLDENS)).each(['qwen3_moe', 'qwen3_moe_bf16'])('golden %s', (name) => {
  it('gives exactly the tensors that the reference gives, by sha256', async () => {
    const { golden, source } = open(name);
    const checkpoint = await openCheckpoint(source.asSource());
    expect(Object.keys(golden.pruned)).toEqual(['25', '50']);
    for (const { retained, tensors } of Object.values(golden.pruned)) {
      const target = await exported(
        checkpoint,
        checkpoint.moeLayers.map((layer) => retained[layer] ?? []),
      );
      const after = await openCheckpoint(target.asSource());
      const found = Object.fromEntries(
        [...after.tensors.values()].map(({ name: tensor, dtype, shape, file, offset, byteLength }) => {
          const bytes = (target.files.get(file) ?? new Uint8Array()).subarray(offset, offset + byteLength);
          return [tensor, { dtype, shape: [...shape], sha256: createHash('sha256').update(bytes).digest('hex') }];
        }),
      );
      expect(found).toEqual(tensors);
      expect((await verifyExport({ folder: target.asSource(), source: checkpoint })).problems).toEqual([]);
    }
  });

  it('gives back the very shards and config when nothing is dropped: Python wrote them', async () => {
    const { source } = open(name);
    const checkpoint = await openCheckpoint(source.asSource());
    const target = await exported(
      checkpoint,
      checkpoint.moeLayers.map(() => Array.from({ length: checkpoint.config.experts }, (_, expert) => expert)),
    );
    // The index is our own: that of transformers also counts parameters.
    const compared = [...source.files].filter(([file]) => !file.endsWith('.index.json'));
    for (const [file, bytes] of compared)
      expect([file, Buffer.compare(target.files.get(file) ?? new Uint8Array(), bytes)]).toEqual([file, 0]);
  });
});
