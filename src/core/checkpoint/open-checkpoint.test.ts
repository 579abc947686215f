import { describe, expect, it } from 'vitest';
import { MemoryFolder } from '../bytes/memory-folder.ts';
import { layoutTensors } from '../safetensors/writer.ts';
import { openCheckpoint } from './open-checkpoint.ts';
import { readEmbeddings } from './read-tensor.ts';
import { decodeStored, readStored } from './read-weights.ts';
import { summariseCheckpoint } from './summarise.ts';
import { TINY_SHAPE, tinyCheckpoint, tinyCheckpointFiles } from './tiny-checkpoint.fixture.ts';
import { weightTable } from './weight-table.ts';

type Files = Map<string, Uint8Array<ArrayBuffer>>;

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

function editConfig(files: Files, edit: (config: Record<string, unknown>) => void): void {
  const config: Record<string, unknown> = JSON.parse(new TextDecoder().decode(files.get('config.json')));
  edit(config);
  files.set('config.json', bytes(JSON.stringify(config)));
}

/** The fixture's tensors with one renamed, reshaped or left out. */
function rewrite(
  files: Files,
  change: (name: string, shape: readonly number[]) => readonly [string, readonly number[]] | null,
  more: readonly (readonly [string, readonly number[]])[] = [],
): void {
  const file = files.get('model.safetensors') ?? new Uint8Array();
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  const header: Record<string, { shape: number[] }> = JSON.parse(
    new TextDecoder().decode(file.subarray(8, 8 + length)),
  );
  const tensors = Object.entries(header).flatMap(([name, { shape }]) => {
    const changed = name === '__metadata__' ? null : change(name, shape);
    return changed === null ? [] : [{ name: changed[0], dtype: 'F32' as const, shape: changed[1] }];
  });
  const added = more.map(([name, shape]) => ({ name, dtype: 'F32' as const, shape }));
  const layout = layoutTensors([...tensors, ...added]);
  const rewritten = new Uint8Array(layout.fileSize);
  rewritten.set(layout.header);
  files.set('model.safetensors', rewritten);
}

describe('openCheckpoint refuses, naming the thing', () => {
  const down = 'model.layers.0.mlp.experts.2.down_proj.weight';
  it.each<readonly [string, (files: Files) => void, string, string]>([
    ['no config.json', (files) => files.delete('config.json'), 'missing-config', 'config.json'],
    ['a config.json that is no JSON', (files) => files.set('config.json', bytes('{')), 'bad-config', 'not valid JSON'],
    [
      'a config.json that is a list',
      (files) => files.set('config.json', bytes('[]')),
      'bad-config',
      'not a JSON object',
    ],
    [
      'an unknown architecture',
      (files) => editConfig(files, (config) => Object.assign(config, { model_type: 'llama' })),
      'unknown-architecture',
      '"llama"',
    ],
    [
      'no model_type',
      (files) => editConfig(files, (config) => delete config['model_type']),
      'unknown-architecture',
      'model_type',
    ],
    [
      'expert counts that differ',
      (files) => editConfig(files, (config) => Object.assign(config, { num_local_experts: 5 })),
      'conflicting-config',
      'num_local_experts = 5',
    ],
    [
      'a top-k above the experts',
      (files) => editConfig(files, (config) => Object.assign(config, { num_experts_per_tok: 7 })),
      'bad-config',
      '7 of 6',
    ],
    [
      'more layers than any model has',
      (files) => editConfig(files, (config) => Object.assign(config, { num_hidden_layers: 1e9 })),
      'bad-config',
      '1000000000',
    ],
    [
      'a bias that config.json does not switch on',
      (files) => rewrite(files, (name, shape) => [name, shape], [['model.layers.0.self_attn.q_proj.bias', [64]]]),
      'unread-tensor',
      'model.layers.0.self_attn.q_proj.bias',
    ],
    [
      'a number that is none',
      (files) => editConfig(files, (config) => Object.assign(config, { hidden_size: '48' })),
      'bad-config',
      'hidden_size',
    ],
    [
      'another activation',
      (files) => editConfig(files, (config) => Object.assign(config, { hidden_act: 'gelu' })),
      'unsupported-activation',
      'gelu',
    ],
    ['no weights', (files) => files.delete('model.safetensors'), 'no-weights', '.safetensors'],
    [
      'shards without an index',
      (files) => {
        files.set('model-00001-of-00002.safetensors', new Uint8Array());
        files.delete('model.safetensors');
      },
      'missing-index',
      'model.safetensors.index.json',
    ],
    [
      'a shard that the index names and the folder lacks',
      (files) => files.set('model.safetensors.index.json', bytes('{"weight_map":{"a":"gone.safetensors"}}')),
      'missing-shard',
      'gone.safetensors',
    ],
    [
      'a tensor that the index puts elsewhere',
      (files) => files.set('model.safetensors.index.json', bytes('{"weight_map":{"a":"model.safetensors"}}')),
      'index-mismatch',
      'does not name it',
    ],
    [
      'a missing tensor',
      (files) => rewrite(files, (name, shape) => (name === down ? null : [name, shape])),
      'missing-tensor',
      down,
    ],
    [
      'a tensor of another shape',
      (files) => rewrite(files, (name, shape) => [name, name === down ? [20, 48] : shape]),
      'shape-mismatch',
      '[20, 48]',
    ],
    [
      'a tensor that the family does not have',
      (files) => rewrite(files, (name, shape) => [name === down ? 'vision.patch.weight' : name, shape]),
      'unclassified-tensor',
      'vision.patch.weight',
    ],
    [
      'an expert beyond the count',
      (files) => editConfig(files, (config) => Object.assign(config, { num_experts: 5 })),
      'shape-mismatch',
      'mlp.gate.weight',
    ],
    [
      'a truncated shard',
      (files) => files.set('model.safetensors', files.get('model.safetensors')?.slice(0, -8) ?? new Uint8Array()),
      'truncated',
      'model.safetensors',
    ],
    [
      'a file that is no safetensors',
      (files) => files.set('model.safetensors', bytes('PK\u0003\u0004 a zip in disguise')),
      'header-too-large',
      'model.safetensors',
    ],
  ])('%s', async (_, damage, code, words) => {
    const files = tinyCheckpointFiles();
    damage(files);
    const error: unknown = await openCheckpoint(new MemoryFolder('tiny', files)).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code, nextStep: expect.stringMatching(/\.$/) });
    expect(error instanceof Error ? `${error.message} ${JSON.stringify(error)}` : '').toContain(
      words.replaceAll('"', '\\"').startsWith('\\') ? words.slice(1, -1) : words,
    );
  });
});

describe('an open checkpoint', () => {
  it('reads the numbers that Python writes and JSON lacks as absent', async () => {
    const files = tinyCheckpointFiles();
    const config = new TextDecoder().decode(files.get('config.json'));
    files.set('config.json', bytes(config.replace('{', '{ "time_step_limit": [0.0, Infinity], "note": "NaN",')));
    const { configJson } = await openCheckpoint(new MemoryFolder('tiny', files));
    expect(configJson).toMatchObject({ time_step_limit: [0, null], note: 'NaN' });
  });

  it('gives every tensor a role and the summary its sizes', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint());
    const summary = summariseCheckpoint(checkpoint);
    expect(checkpoint.moeLayers).toEqual([0, 2]);
    expect(checkpoint.tensors.get('model.layers.2.mlp.experts.5.up_proj.weight')?.role).toEqual({
      kind: 'expert',
      layer: 2,
      expert: 5,
      projection: 'up',
      suffix: 'weight',
      expertSpan: [27, 28],
      nextToken: false,
    });
    expect(checkpoint.tensors.get('model.layers.1.mlp.up_proj.weight')?.role).toEqual({
      kind: 'mlp',
      mlp: 'dense',
      projection: 'up',
      layer: 1,
      step: 0,
      suffix: 'weight',
      nextToken: false,
    });
    expect(checkpoint.tensors.get('model.layers.0.mlp.gate.weight')?.role).toEqual({
      kind: 'router',
      part: 'router',
      layer: 0,
      suffix: 'weight',
      expertAxis: 0,
      nextToken: false,
    });
    const { hiddenSize: hidden, expertWidth: inner } = TINY_SHAPE;
    expect(summary.moeLayers[0]).toMatchObject({
      layer: 0,
      expertParameters: 3 * hidden * inner,
      expertBytes: 12 * hidden * inner,
      routerBytesPerExpert: 4 * hidden,
    });
    expect(summary.totalBytes).toBe(4 * summary.totalParameters);
    expect(summary.totalBytes).toBe(
      [...checkpoint.tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0),
    );
  });

  it('has a fingerprint of its structure: other weights keep it, another expert count does not', async () => {
    const fingerprint = async (files: Files): Promise<string> =>
      (await openCheckpoint(new MemoryFolder('tiny', files))).fingerprint;
    const first = await fingerprint(tinyCheckpointFiles());
    expect(await fingerprint(tinyCheckpointFiles(TINY_SHAPE, 2))).toBe(first);
    expect(await fingerprint(tinyCheckpointFiles({ ...TINY_SHAPE, experts: 7 }))).not.toBe(first);
    expect(await fingerprint(tinyCheckpointFiles({ ...TINY_SHAPE, expertWidth: 24 }))).not.toBe(first);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
  });

  it('reads weights alike one by one, many at once, and by rows', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint());
    const table = weightTable(checkpoint);
    const keys = [
      { part: 'embedding' } as const,
      ...Array.from({ length: TINY_SHAPE.experts }, (_, expert) => ({ expert, projection: 'up', layer: 0 }) as const),
    ];
    const stored = keys.map((key) => table.weight(key) ?? expect.fail(`no ${JSON.stringify(key)}`));
    const many = await readStored(checkpoint, stored);
    for (const [index, weight] of stored.entries()) {
      expect(many[index]).toEqual((await readStored(checkpoint, [weight]))[0]);
      expect(many[index]?.parts['weight']?.bytes.byteLength).toBe(checkpoint.tensors.get(weight.name)?.byteLength);
    }
    const values = decodeStored(many[0] ?? expect.fail('no embedding'));
    const rows = await readEmbeddings(checkpoint, Int32Array.of(96, 0, 3, 3));
    const row = (id: number): Float32Array =>
      values.subarray(id * TINY_SHAPE.hiddenSize, (id + 1) * TINY_SHAPE.hiddenSize);
    expect(rows).toEqual(Float32Array.of(...row(96), ...row(0), ...row(3), ...row(3)));
  });
});
