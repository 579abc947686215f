import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryFolder } from '../../src/core/bytes/memory-folder.ts';
import { openCheckpoint } from '../../src/core/checkpoint/open-checkpoint.ts';
import { loadModelTokenizer } from '../../src/core/corpus/model-tokenizer.ts';
import { parseHeader } from '../../src/core/safetensors/header.ts';
import { damagedCheckpoints, type Files, INDEX, SHARDS, wholeCheckpoint } from './checkpoint-files.ts';
import { useDamaged } from './checkpoint-properties.ts';
import { CountingFolder } from './counting-folder.ts';

const encoder = new TextEncoder();
const [FIRST, SECOND] = SHARDS;

function textOf(files: Files, name: string): string {
  return new TextDecoder().decode(files.get(name));
}

type Damage = (files: Files) => void;

/** Replaces text of a file; the file must hold it. */
function edit(name: string, from: string | RegExp, to: string): Damage {
  return (files) => {
    const before = textOf(files, name);
    const after = before.replace(from, to);
    if (after === before) throw new Error(`${name} does not hold ${from}`);
    files.set(name, encoder.encode(after));
  };
}

const config = (key: string, value: string): Damage =>
  edit('config.json', new RegExp(`("${key}": )[^,\n]*`), `$1${value}`);
const index = (from: string | RegExp, to: string): Damage => edit(INDEX, from, to);

/** Renames a tensor in its shard, and in the index as well. */
function rename(from: string, to: string): Damage {
  return (files) => {
    if (from.length !== to.length) throw new Error('the header would get another length');
    for (const shard of SHARDS) {
      const bytes = files.get(shard)?.slice() ?? new Uint8Array();
      const { dataOffset } = parseHeader(bytes, bytes.byteLength, shard);
      const header = new TextDecoder().decode(bytes.subarray(8, dataOffset)).replace(`"${from}"`, `"${to}"`);
      bytes.set(encoder.encode(header), 8);
      files.set(shard, bytes);
    }
    index(`"${from}"`, `"${to}"`)(files);
  };
}

const UNSAFE = [
  '../model.safetensors',
  '..\\\\model.safetensors',
  '%2e%2e%2fmodel.safetensors',
  '%252e%252e%255cmodel.safetensors',
  '/etc/passwd.safetensors',
  'C:\\\\model.safetensors',
  'con.safetensors',
  'COM1.safetensors',
  'lpt%31.safetensors',
  '.hidden.safetensors',
  'a\\u0000b.safetensors',
  'a\\nb.safetensors',
  'a\\u202egnp.safetensors',
  'model.safetensors ',
  'model.bin',
  `${'a'.repeat(250)}.safetensors`,
];

const FAULTS: readonly (readonly [fault: string, family: string, code: string, damage: Damage])[] = [
  ['no config', 'checkpoint', 'missing-config', (files) => files.delete('config.json')],
  ['a config cut off', 'checkpoint', 'bad-config', edit('config.json', /\}\s*$/, '')],
  ['a list for a config', 'checkpoint', 'bad-config', (files) => files.set('config.json', encoder.encode('[]'))],
  [
    'a config without end',
    'checkpoint',
    'bad-config',
    (files) => files.set('config.json', encoder.encode('{"a":'.repeat(500_000))),
  ],
  [
    'quotes without end',
    'checkpoint',
    'bad-config',
    (files) => files.set('config.json', encoder.encode(`{"a":"${'\\"'.repeat(2_000_000)}`)),
  ],
  [
    'a long config',
    'checkpoint',
    'file-too-large',
    (files) => files.set('config.json', encoder.encode(`{}${' '.repeat(16_000_000)}`)),
  ],
  ['another family', 'checkpoint', 'unknown-architecture', config('model_type', '"mamba"')],
  ['a family named like an object member', 'checkpoint', 'unknown-architecture', config('model_type', '"__proto__"')],
  ['a billion layers', 'checkpoint', 'bad-config', config('num_hidden_layers', '1000000000')],
  ['negative layers', 'checkpoint', 'bad-config', config('num_hidden_layers', '-2')],
  ['half a layer', 'checkpoint', 'bad-config', config('num_hidden_layers', '1.5')],
  ['a layer too many', 'checkpoint', 'missing-tensor', config('num_hidden_layers', '3')],
  ['a layer too few', 'checkpoint', 'tensor-out-of-range', config('num_hidden_layers', '1')],
  ['a billion experts', 'checkpoint', 'shape-mismatch', config('num_experts', '1000000000')],
  ['NaN experts', 'checkpoint', 'bad-config', config('num_experts', 'NaN')],
  ['infinite experts', 'checkpoint', 'bad-config', config('num_experts', '1e999')],
  ['experts as text', 'checkpoint', 'bad-config', config('num_experts', '"2"')],
  ['an object for experts', 'checkpoint', 'bad-config', config('num_experts', '{}')],
  ['more chosen than there are', 'checkpoint', 'bad-config', config('num_experts_per_tok', '3')],
  ['none chosen', 'checkpoint', 'bad-config', config('num_experts_per_tok', '0')],
  ['an immense width', 'checkpoint', 'shape-mismatch', config('hidden_size', '9007199254740991')],
  ['a width that no double holds', 'checkpoint', 'bad-config', config('hidden_size', '9007199254740993')],
  ['another width', 'checkpoint', 'shape-mismatch', config('moe_intermediate_size', '5')],
  [
    'a million dense layers',
    'checkpoint',
    'bad-config',
    edit('config.json', /"mlp_only_layers": \[[^\]]*\]/, `"mlp_only_layers": [${'0,'.repeat(1_000_000)}0]`),
  ],
  ['no index', 'checkpoint', 'missing-index', (files) => files.delete(INDEX)],
  [
    'an index that names no tensor',
    'safetensors',
    'bad-weight-map',
    (files) => files.set(INDEX, encoder.encode('{"weight_map":{}}')),
  ],
  [
    'a weight map that is a list',
    'safetensors',
    'bad-weight-map',
    (files) => files.set(INDEX, encoder.encode('{"weight_map":[]}')),
  ],
  ['a tensor twice in the index', 'safetensors', 'duplicate-key', index('"lm_head.weight"', '"model.norm.weight"')],
  ['a tensor named like an object member', 'checkpoint', 'index-mismatch', index('"lm_head.weight"', '"__proto__"')],
  [
    'a shard too many',
    'checkpoint',
    'missing-shard',
    index(/(?<="lm_head.weight": )"[^"]*"/, '"model-00003-of-00003.safetensors"'),
  ],
  ['a tensor in the other shard', 'checkpoint', 'index-mismatch', index(FIRST, SECOND)],
  ['another total', 'checkpoint', 'total-size-mismatch', index(/("total_size": )\d+/, '$17')],
  ['a total that is no number', 'safetensors', 'bad-total-size', index(/("total_size": )\d+/, '$1-1')],
  ['a shard that is missing', 'checkpoint', 'missing-shard', (files) => files.delete(SECOND)],
  [
    'a shard that is a web page',
    'safetensors',
    'html-page',
    (files) => files.set(SECOND, encoder.encode('<!doctype html><title>Sign in</title>')),
  ],
  [
    'a shard that is a pointer',
    'safetensors',
    'lfs-pointer',
    (files) => files.set(SECOND, encoder.encode('version https://git-lfs.github.com/spec/v1\noid sha256:0')),
  ],
  ['a shard twice', 'checkpoint', 'index-mismatch', (files) => files.set(SECOND, files.get(FIRST) ?? new Uint8Array())],
  [
    'a shard cut off',
    'safetensors',
    'truncated',
    (files) => files.set(SECOND, files.get(SECOND)?.slice(0, -1) ?? new Uint8Array()),
  ],
  ['a tensor of no model', 'checkpoint', 'unclassified-tensor', rename('model.norm.weight', 'model.form.weight')],
  [
    'an expert too many',
    'checkpoint',
    'missing-tensor',
    rename('model.layers.0.mlp.experts.1.up_proj.weight', 'model.layers.0.mlp.experts.7.up_proj.weight'),
  ],
  ...UNSAFE.map((name): (typeof FAULTS)[number] => [
    `a shard called ${name.slice(0, 40)}`,
    'safetensors',
    'unsafe-shard-name',
    index(/(?<="lm_head.weight": )"[^"]*"/, `"${name}"`),
  ]),
];

describe('a checkpoint with one fault is refused for it', () => {
  it.each(FAULTS)('%s', async (_, family, code, damage) => {
    const files = wholeCheckpoint();
    damage(files);
    await expect(openCheckpoint(new MemoryFolder('faulty', files))).rejects.toMatchObject({ family, code });
  });

  it('and opens without one', async () => {
    expect(await useDamaged(wholeCheckpoint())).toEqual({ checkpoint: true, tokenizer: true });
  });
});

it('checkpoints damaged at random are refused by name or are what they say, with their tokenizers', async () => {
  const opened = { checkpoint: 0, tokenizer: 0 };
  await fc.assert(
    fc.asyncProperty(damagedCheckpoints, async (files) => {
      const { checkpoint, tokenizer } = await useDamaged(files);
      opened.checkpoint += Number(checkpoint);
      opened.tokenizer += Number(tokenizer);
    }),
    { numRuns: 200, seed: 20_514 },
  );
  for (const count of Object.values(opened)) {
    expect(count).toBeGreaterThan(10);
    expect(count).toBeLessThan(190);
  }
});

describe('what files claim to be costs nothing', () => {
  const TERABYTE = 2 ** 40;

  /** A header of `length` bytes, as the first eight say, in a file that claims to be of `size`. */
  async function claim(length: bigint, size: number): Promise<CountingFolder> {
    const files = wholeCheckpoint();
    const shard = new Uint8Array(8);
    new DataView(shard.buffer).setBigUint64(0, length, true);
    files.set(SECOND, shard);
    const folder = new CountingFolder(new MemoryFolder('claims', files), new Map([[SECOND, size]]));
    await expect(openCheckpoint(folder)).rejects.toMatchObject({ family: 'safetensors' });
    return folder;
  }

  it.each([
    ['an immense header', 2n ** 62n, TERABYTE, 40_000],
    ['the largest header in a file of terabytes', 100_000_000n, 3 * TERABYTE, 100_000_100],
    ['a header beyond a small file', 99_000_000n, 64, 40_000],
  ])('%s', async (_, length, size, bound) => {
    const folder = await claim(length, size);
    expect(folder.largest).toBeLessThanOrEqual(bound);
    expect(folder.asked).toBeLessThanOrEqual(bound + 40_000);
  });

  it('an index of a terabyte is refused before it is read', async () => {
    const sizes = new Map([[INDEX, TERABYTE]]);
    const folder = new CountingFolder(new MemoryFolder('claims', wholeCheckpoint()), sizes);
    await expect(openCheckpoint(folder)).rejects.toMatchObject({ code: 'file-too-large' });
    expect(folder.asked).toBeLessThan(10_000);
  });

  it('a tokenizer of terabytes is refused before it is read', async () => {
    for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
      const folder = new CountingFolder(new MemoryFolder('claims', wholeCheckpoint()), new Map([[name, TERABYTE]]));
      await expect(loadModelTokenizer(folder)).rejects.toMatchObject({ family: 'corpus', code: 'bad-tokenizer' });
      expect(folder.asked).toBeLessThan(10_000);
    }
  });
});
