import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { type ExportTrial, exportTrial } from './export-trial.fixture.ts';
import { FaultFolder } from './fault-folder.fixture.ts';
import { parseManifest, serialiseManifest } from './manifest.ts';
import type { ExportManifest } from './manifest-schema.ts';
import { verifyExport } from './verify.ts';
import type { VerifyReport } from './verify-report.ts';

const MANIFEST = 'reap-studio.manifest.json';
const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const SHARD = 'model-00001-of-00003.safetensors';
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let trial: ExportTrial;
beforeAll(async () => {
  trial = await exportTrial();
});

/** The fixture as a hub gives it: pinned, with the sha256 of its shards. */
function fromHub(published: ReadonlyMap<string, string>): Checkpoint {
  const folder = { ...trial.source.asSource(`hf:org/name@${COMMIT}`), published };
  return { ...trial.checkpoint, folder };
}

function publishedHashes(): Map<string, string> {
  const shards = [...trial.source.files].filter(([name]) => name.endsWith('.safetensors'));
  return new Map(shards.map(([name, bytes]) => [name, sha256(bytes)]));
}

async function manifestOf(folder: FaultFolder): Promise<ExportManifest> {
  return parseManifest(new TextDecoder().decode(folder.files.get(MANIFEST)));
}

async function exportedFrom(checkpoint: Checkpoint): Promise<FaultFolder> {
  const target = new FaultFolder();
  await trial.write(target, { checkpoint });
  return target;
}

const codes = ({ problems }: VerifyReport): string[] => problems.map(({ code }) => code);

describe('a manifest of the first version', () => {
  it('still verifies', async () => {
    const current = await manifestOf(trial.complete);
    if (current.version !== 2) throw new Error('not the current version');
    const { shardBytes: _, source: __, ...rest } = current;
    const text = await serialiseManifest({ ...rest, version: 1 });
    expect(text).not.toContain('shardBytes');
    const folder = new FaultFolder(trial.complete.files);
    folder.files.set(MANIFEST, new TextEncoder().encode(text));
    const report = await verifyExport({ folder: folder.asSource(), source: trial.checkpoint });
    expect([report.problems, report.publishedFiles]).toEqual([[], 0]);
  });
});

describe('a manifest of a newer version', () => {
  it('is refused as such', async () => {
    const text = new TextDecoder().decode(trial.complete.files.get(MANIFEST)).replace('"version":2', '"version":3');
    await expect(parseManifest(text)).rejects.toMatchObject({ family: 'export', code: 'newer-version' });
  });
});

describe('an export from a hub', () => {
  it('records the repository, the commit and what is published of each file that was read', async () => {
    const published = publishedHashes();
    const manifest = await manifestOf(await exportedFrom(fromHub(published)));
    if (manifest.version !== 2) throw new Error('not the current version');
    expect(manifest.source.hub).toEqual({ repo: 'org/name', commit: COMMIT });
    expect(manifest.source.files.map(({ name, published: hash }) => [name, hash])).toEqual([
      ...[...published].map(([name, hash]) => [name, hash]),
      ['README.md', null],
      ['tokenizer.json', null],
    ]);
    const local = await manifestOf(trial.complete);
    expect(local.version === 2 && local.source.hub).toBe(null);
  });

  it('ties each kept tensor to the sha256 of its source range', async () => {
    const { tensors } = await manifestOf(trial.complete);
    for (const { sha256: hash, source } of tensors) {
      const bytes = trial.source.files.get(source.file) ?? new Uint8Array();
      const ranges = source.ranges.map(([offset, length]) => bytes.subarray(offset, offset + length));
      expect(hash).toBe(sha256(Buffer.concat(ranges)));
    }
  });

  it('verifies whole source files against what was published then', async () => {
    const folder = (await exportedFrom(fromHub(publishedHashes()))).asSource();
    const right = await verifyExport({ folder, source: trial.checkpoint, sourceHashes: true });
    expect([right.problems, right.sourceFiles, right.publishedFiles]).toEqual([[], 3, 3]);
    const files = new Map([...trial.source.files].map(([name, bytes]) => [name, bytes.slice()]));
    const dropped = files.get(SHARD);
    if (dropped === undefined) throw new Error('no shard');
    // A byte of an expert that the plan drops: no kept tensor differs, yet the file is not the published one.
    const expert = trial.checkpoint.tensors.get('model.layers.0.mlp.experts.1.up_proj.weight');
    dropped[expert?.offset ?? 0] = (dropped[expert?.offset ?? 0] ?? 0) ^ 1;
    const source = { ...trial.checkpoint, folder: new FaultFolder(files).asSource() };
    expect(codes(await verifyExport({ folder, source }))).toEqual([]);
    expect(codes(await verifyExport({ folder, source, sourceHashes: true }))).toEqual(['source-not-as-published']);
  });

  it('notices when the hub publishes something else now', async () => {
    const folder = (await exportedFrom(fromHub(publishedHashes()))).asSource();
    const source = fromHub(new Map([...publishedHashes(), [SHARD, '0'.repeat(64)]]));
    expect(codes(await verifyExport({ folder, source }))).toEqual(['published-differs']);
  });

  it('is needed for that: nothing is published of a local folder', async () => {
    const refusal = verifyExport({ folder: trial.complete.asSource(), source: trial.checkpoint, sourceHashes: true });
    await expect(refusal).rejects.toMatchObject({ family: 'export', code: 'no-published-hashes' });
  });
});
