import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { parsePlan, serialisePlan } from '../plan/plan-file.ts';
import { layoutTensors } from '../safetensors/writer.ts';
import { layoutExport } from './export-layout.ts';
import { FaultFolder } from './fault-folder.fixture.ts';
import { parseManifest, serialiseManifest } from './manifest.ts';
import type { ExportManifest } from './manifest-schema.ts';
import { fixtureModel, fixturePlan } from './small-model.fixture.ts';
import { verifyExport } from './verify.ts';
import { writeExport } from './write-export.ts';

const SHARD = 'model-00001-of-00003.safetensors';
const MANIFEST = 'reap-studio.manifest.json';
const PLAN = 'reap-studio.plan.json';
let source: Checkpoint;
let exported: FaultFolder;

beforeAll(async () => {
  source = await openCheckpoint(fixtureModel({ sharded: true }).asSource());
  const layout = await layoutExport(
    source,
    serialisePlan(
      fixturePlan(source, [
        [1, 3],
        [0, 2],
      ]),
    ),
  );
  exported = new FaultFolder();
  await writeExport({ checkpoint: source, layout, target: exported, resume: false });
});

/** The codes of what verify finds after `change`, without and with the source. */
async function found(
  change: (folder: FaultFolder) => void | Promise<void>,
  against: Checkpoint = source,
): Promise<{ alone: string[]; withSource: string[] }> {
  const folder = new FaultFolder(new Map([...exported.files].map(([name, bytes]) => [name, bytes.slice()])));
  await change(folder);
  const codes = async (checkpoint?: Checkpoint): Promise<string[]> => {
    const { problems } = await verifyExport({ folder: folder.asSource(), source: checkpoint });
    return [...new Set(problems.map(({ code }) => code))];
  };
  return { alone: await codes(), withSource: await codes(against) };
}

function bytesOf(folder: FaultFolder, name: string): Uint8Array<ArrayBuffer> {
  const bytes = folder.files.get(name);
  if (bytes === undefined) throw new Error(`no file ${name}`);
  return bytes;
}

const textOf = (folder: FaultFolder, name: string): string => new TextDecoder().decode(bytesOf(folder, name));
const setText = (folder: FaultFolder, name: string, text: string): void =>
  void folder.files.set(name, new TextEncoder().encode(text));

/** Makes the manifest's hashes fit the folder again, as someone would who wants to hide a change. */
async function reseal(folder: FaultFolder): Promise<void> {
  const manifest = await parseManifest(textOf(folder, MANIFEST));
  const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  for (const file of manifest.files)
    Object.assign(file, { size: bytesOf(folder, file.name).byteLength, sha256: sha256(bytesOf(folder, file.name)) });
  const { tensors } = await openCheckpoint(folder.asSource());
  for (const entry of manifest.tensors) {
    const tensor = tensors.get(entry.name);
    if (tensor !== undefined)
      entry.sha256 = sha256(bytesOf(folder, tensor.file).subarray(tensor.offset, tensor.offset + tensor.byteLength));
  }
  manifest.planHash = sha256(bytesOf(folder, PLAN));
  setText(folder, MANIFEST, await serialiseManifest(manifest));
}

/** Swaps the bytes of two tensors of the same size. */
async function swap(folder: FaultFolder, first: string, second: string): Promise<void> {
  const { tensors } = await openCheckpoint(folder.asSource());
  const [a, b] = [tensors.get(first), tensors.get(second)];
  if (a === undefined || b === undefined) throw new Error('no such tensor');
  const left = bytesOf(folder, a.file).subarray(a.offset, a.offset + a.byteLength);
  const right = bytesOf(folder, b.file).subarray(b.offset, b.offset + b.byteLength);
  const copy = left.slice();
  left.set(right);
  right.set(copy);
}

/** Rewrites a shard with other tensors, its data kept as far as they go. */
function rewriteShard(
  folder: FaultFolder,
  change: (tensors: { name: string; dtype: 'BF16'; shape: readonly number[] }[]) => void,
): Promise<void> {
  return openCheckpoint(folder.asSource()).then((checkpoint) => {
    const tensors = [...checkpoint.tensors.values()]
      .filter(({ file }) => file === SHARD)
      .map(({ name, shape }) => ({ name, dtype: 'BF16' as const, shape }));
    change(tensors);
    const { header, fileSize } = layoutTensors(tensors, new Map([['format', 'pt']]));
    const bytes = new Uint8Array(fileSize);
    bytes.set(header);
    folder.files.set(SHARD, bytes);
  });
}

function firstOf(tensors: ExportManifest['tensors']): ExportManifest['tensors'][number] {
  const [first] = tensors;
  if (first === undefined) throw new Error('no tensors');
  return first;
}

describe('verifyExport', () => {
  it('finds nothing wrong with an export, and counts what it read', async () => {
    const report = await verifyExport({ folder: exported.asSource(), source });
    expect(report).toMatchObject({ problems: [], comparedWithSource: true, files: exported.files.size - 1 });
    const manifestBytes = bytesOf(exported, MANIFEST).byteLength;
    expect(report.bytes).toBe(
      [...exported.files.values()].reduce((sum, bytes) => sum + bytes.byteLength, 0) - manifestBytes,
    );
    expect(report.tensors).toBeGreaterThan(20);
    expect(await found(() => undefined)).toEqual({ alone: [], withSource: [] });
  });

  it('finds one flipped bit anywhere in any file', async () => {
    for (const name of exported.files.keys()) {
      const { byteLength } = bytesOf(exported, name);
      for (const at of [0, 7, 8, byteLength >> 1, byteLength - 2, byteLength - 1]) {
        const { alone, withSource } = await found((folder) => {
          const bytes = bytesOf(folder, name);
          bytes[at] = (bytes[at] ?? 0) ^ 1;
        });
        expect([name, at, alone.length > 0, withSource.length > 0]).toEqual([name, at, true, true]);
      }
    }
  }, 30_000);

  it('names the tensor and the byte that differ from the source, even where the manifest was made to fit', async () => {
    const folder = new FaultFolder(new Map([...exported.files].map(([name, bytes]) => [name, bytes.slice()])));
    const tensor = (await openCheckpoint(folder.asSource())).tensors.get('model.layers.0.mlp.gate.weight');
    if (tensor === undefined) throw new Error('no router');
    const at = tensor.offset + 3;
    bytesOf(folder, tensor.file)[at] = (bytesOf(folder, tensor.file)[at] ?? 0) ^ 128;
    await reseal(folder);
    expect((await verifyExport({ folder: folder.asSource() })).problems).toEqual([]);
    const { problems } = await verifyExport({ folder: folder.asSource(), source });
    expect(problems).toMatchObject([{ code: 'bytes-differ', file: SHARD, tensor: tensor.name }]);
    expect(problems[0]?.message).toContain(`Byte ${at} `);
  });

  it('finds a missing tensor', async () => {
    const { alone, withSource } = await found((folder) => rewriteShard(folder, (tensors) => void tensors.pop()));
    expect(alone).toContain('index-mismatch');
    expect(withSource).toContain('size-differs');
  });

  it('finds a tensor too many', async () => {
    const extra = { name: 'model.layers.0.mlp.experts.2.up_proj.weight', dtype: 'BF16', shape: [4, 8] } as const;
    const { alone, withSource } = await found((folder) => rewriteShard(folder, (tensors) => void tensors.push(extra)));
    expect(alone).toContain('index-mismatch');
    expect(withSource).toContain('size-differs');
  });

  it('finds swapped experts', async () => {
    const names = [
      'model.layers.0.mlp.experts.0.up_proj.weight',
      'model.layers.0.mlp.experts.1.up_proj.weight',
    ] as const;
    expect((await found((folder) => swap(folder, ...names))).alone).toEqual(['file-changed', 'tensor-changed']);
    const hidden = await found(async (folder) => {
      await swap(folder, ...names);
      await reseal(folder);
    });
    expect(hidden).toEqual({ alone: [], withSource: ['bytes-differ'] });
  });

  it('finds an edited plan, even where the manifest was made to fit', async () => {
    const edit = (folder: FaultFolder): void => {
      const plan = parsePlan(textOf(folder, PLAN));
      const layers = fixturePlan(source, [
        [0, 3],
        [0, 2],
      ]).layers;
      setText(folder, PLAN, serialisePlan({ ...plan, layers }));
    };
    expect((await found(edit)).alone).toEqual(['plan-changed', 'wrong-expert', 'file-changed']);
    const hidden = await found(async (folder) => {
      edit(folder);
      await reseal(folder);
    });
    expect(hidden).toEqual({ alone: ['wrong-expert'], withSource: ['wrong-expert', 'wrong-range', 'bytes-differ'] });
  });

  it('finds a manifest that lists other tensors than there are', async () => {
    const edited = (change: (tensors: ExportManifest['tensors']) => void): Promise<{ alone: string[] }> =>
      found(async (folder) => {
        const manifest = await parseManifest(textOf(folder, MANIFEST));
        change(manifest.tensors);
        setText(folder, MANIFEST, await serialiseManifest(manifest));
      });
    expect((await edited((tensors) => void tensors.pop())).alone).toEqual(['tensor-extra']);
    const stray = { name: 'model.layers.9.mlp.gate.weight' };
    expect((await edited((tensors) => void tensors.push({ ...firstOf(tensors), ...stray }))).alone).toEqual([
      'tensor-missing',
    ]);
    expect((await edited((tensors) => void tensors.push({ ...firstOf(tensors) }))).alone).toEqual(['tensor-twice']);
    expect((await edited((tensors) => void Object.assign(firstOf(tensors), { dtype: 'F16' }))).alone).toEqual([
      'tensor-shape',
    ]);
    const elsewhere = { file: 'model-00003-of-00003.safetensors' };
    expect((await edited((tensors) => void Object.assign(firstOf(tensors), elsewhere))).alone).toEqual([
      'tensor-moved',
    ]);
  });

  it('finds a plan of another size', async () => {
    const { alone } = await found((folder) => {
      const plan = parsePlan(textOf(folder, PLAN));
      setText(folder, PLAN, serialisePlan({ ...plan, layers: fixturePlan(source, [[1], [0]]).layers }));
    });
    expect(alone).toContain('expert-count');
  });

  it('finds the wrong source: another model, and a fine-tune of the same', async () => {
    const tuned = await openCheckpoint(fixtureModel({ sharded: true, seed: 7 }).asSource());
    expect(await found(() => undefined, tuned)).toEqual({ alone: [], withSource: ['bytes-differ'] });
    const other = { ...source, fingerprint: '0'.repeat(64) };
    expect(await found(() => undefined, other)).toEqual({ alone: [], withSource: ['wrong-source'] });
  });

  it('finds a wrong config, index and file set', async () => {
    const config = await found((folder) =>
      setText(folder, 'config.json', textOf(folder, 'config.json').replace('"num_experts": 2', '"num_experts": 4')),
    );
    expect(config.alone).toContain('file-changed');
    const index = await found((folder) =>
      setText(
        folder,
        'model.safetensors.index.json',
        textOf(folder, 'model.safetensors.index.json').replace('00001-of', '00002-of'),
      ),
    );
    expect(index.alone).toContain('index-mismatch');
    expect((await found((folder) => void folder.files.delete('tokenizer.json'))).alone).toEqual(['missing-file']);
    expect((await found((folder) => setText(folder, 'new.txt', 'x'))).alone).toEqual(['extra-file']);
    expect((await found((folder) => setText(folder, 'reap-studio.journal.jsonl', ''))).alone).toEqual(['unfinished']);
    expect((await found((folder) => void folder.files.delete(MANIFEST))).alone.length).toBeGreaterThan(0);
    expect((await found((folder) => void folder.files.delete(PLAN))).withSource.length).toBeGreaterThan(0);
  });
});

describe('the manifest', () => {
  it('survives writing and reading, and refuses what was changed in any way', async () => {
    const text = textOf(exported, MANIFEST);
    const manifest = await parseManifest(text);
    expect(await serialiseManifest(manifest)).toBe(text);
    for (const changed of [
      text.slice(0, -3),
      text.replace('"0.1.0"', '"0.1.1"'),
      text.replace(',\n"files"', ', \n"files"'),
      text.replace('"version":2', '"version":1'),
      text.replace('"shardBytes":null', '"shardBytes":5'),
      text.replace('"hub":null', '"hub":{"repo":"a/b","commit":"c"}'),
      '[]',
    ]) {
      await expect(parseManifest(changed)).rejects.toMatchObject({ family: 'export', code: 'bad-manifest' });
    }
  });

  it('carries the version of package.json', async () => {
    const { default: manifest } = await import('../../../package.json');
    expect((await parseManifest(textOf(exported, MANIFEST))).tool).toEqual({
      name: manifest.name,
      version: manifest.version,
    });
  });
});
