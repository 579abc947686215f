import { describe, expect, test } from 'vitest';
import { StudioError } from '../base/errors.ts';
import { MAX_JSON_VALUES, MAX_SHARDS } from './limits.ts';
import { parseShardIndex, serialiseShardIndex } from './shard-index.ts';

const INDEX = 'model.safetensors.index.json';
const parse = (text: string) => parseShardIndex(new TextEncoder().encode(text), INDEX);

function refusal(text: string): StudioError {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof StudioError) return error;
    throw error;
  }
  throw new Error('the index was accepted');
}

const withShard = (shard: string): string => JSON.stringify({ weight_map: { a: shard } });

describe('parseShardIndex', () => {
  test('reads what transformers writes', () => {
    const index = parse(
      '{\n  "metadata": {\n    "total_parameters": 3,\n    "total_size": 12\n  },\n  "weight_map": {\n    "a": "model-1.safetensors",\n    "__proto__": "model-2.safetensors"\n  }\n}\n',
    );
    expect(index.weightMap).toEqual(
      new Map([
        ['a', 'model-1.safetensors'],
        ['__proto__', 'model-2.safetensors'],
      ]),
    );
    expect(index.totalSize).toBe(12);
    expect(index.metadata).toEqual(new Map([['total_parameters', 3]]));
  });

  test('takes an index without metadata, with other fields, and with a size that is written as a float', () => {
    expect(parse(withShard('m.safetensors')).totalSize).toBeUndefined();
    expect(
      parse('{"weight_map":{"a":"m.safetensors"},"metadata":{"total_size":1355008.0},"x":[{},[null]]}').totalSize,
    ).toBe(1355008);
  });

  test.each([
    ['', 'not-json'],
    ['[]', 'root-not-object'],
    ['"x"', 'root-not-object'],
    ['\uFEFF{}', 'not-json'],
    ['{"weight_map":{"a":"m.safetensors"}} x', 'trailing-bytes'],
    ['{"weight_map":{"a":"m.safetensors"}', 'not-json'],
    ['{}', 'missing-field'],
    ['{"weight_map":{}}', 'bad-weight-map'],
    ['{"weight_map":[]}', 'bad-weight-map'],
    ['{"weight_map":{"a":1}}', 'bad-weight-map'],
    ['{"weight_map":{"a":"m.safetensors","a":"m.safetensors"}}', 'duplicate-key'],
    ['{"weight_map":{"a":"m.safetensors","\\u0061":"n.safetensors"}}', 'duplicate-key'],
    ['{"weight_map":{"a":"m.safetensors"},"weight_map":{"a":"m.safetensors"}}', 'duplicate-key'],
    ['{"weight_map":{"a":"m.safetensors"},"metadata":{"total_size":1,"total_size":1}}', 'duplicate-key'],
    ['{"weight_map":{"a":"m.safetensors"},"metadata":null}', 'bad-metadata'],
    ['{"weight_map":{"a":"m.safetensors"},"metadata":{"total_size":"12"}}', 'bad-total-size'],
    ['{"weight_map":{"a":"m.safetensors"},"metadata":{"total_size":-1}}', 'bad-total-size'],
    ['{"weight_map":{"a":"m.safetensors"},"metadata":{"total_size":1.5}}', 'bad-total-size'],
    ['{"weight_map":{"a":"m.safetensors"},"metadata":{"total_size":9007199254740993}}', 'bad-total-size'],
    [`{"weight_map":{"a":"m.safetensors"},"x":${'['.repeat(100_000)}`, 'too-complex'],
    [`{"weight_map":{"a":"m.safetensors"},"x":[${'0,'.repeat(MAX_JSON_VALUES)}0]}`, 'too-complex'],
    ['version https://git-lfs.github.com/spec/v1\noid sha256:0', 'lfs-pointer'],
    ['<!doctype html><title>404</title>', 'html-page'],
  ])('refuses %.80s as %s', (text, code) => {
    expect(refusal(text)).toMatchObject({ family: 'safetensors', code, details: { file: INDEX } });
  });

  test('refuses bytes that are not UTF-8', () => {
    expect(() => parseShardIndex(new Uint8Array([0x7b, 0xff, 0x7d]), INDEX)).toThrow(
      expect.objectContaining({ code: 'invalid-utf8' }),
    );
  });

  test.each([
    '../model.safetensors',
    '..\\model.safetensors',
    'a/model.safetensors',
    '/model.safetensors',
    'C:model.safetensors',
    '.model.safetensors',
    'a..safetensors',
    '%2e%2e%2fmodel.safetensors',
    '%252e%252e%252fmodel.safetensors',
    `%${'25'.repeat(20)}2fmodel.safetensors`,
    'a%5cb.safetensors',
    'a%00.safetensors',
    'a\n.safetensors',
    'a\u0000.safetensors',
    'a\u202etxt.safetensors',
    ' a.safetensors',
    'CON.safetensors',
    'nul.safetensors',
    'Com1.safetensors',
    'lpt9.x.safetensors',
    'com².safetensors',
    '%43ON.safetensors',
    'model.bin',
    'config.json',
    'model.safetensors%2f..',
    'model.safetensors.',
    '',
    `${'n'.repeat(250)}.safetensors`,
    `${'é'.repeat(125)}.safetensors`,
  ])('refuses the shard name %j', (shard) => {
    expect(refusal(withShard(shard))).toMatchObject({ code: 'unsafe-shard-name', details: { tensor: 'a', shard } });
  });

  test.each([
    'model-00001-of-00002.safetensors',
    'console.safetensors',
    'com10.safetensors',
    'a b.safetensors',
    '模型.safetensors',
    '100%.safetensors',
  ])('takes the shard name %j', (shard) => {
    expect(parse(withShard(shard)).weightMap.get('a')).toBe(shard);
  });

  test('refuses more shards than any checkpoint has', () => {
    const map = (count: number): string =>
      JSON.stringify({
        weight_map: Object.fromEntries(Array.from({ length: count }, (_, i) => [`t${i}`, `${i}.safetensors`])),
      });
    expect(parse(map(MAX_SHARDS)).weightMap.size).toBe(MAX_SHARDS);
    expect(refusal(map(MAX_SHARDS + 1)).code).toBe('too-many-shards');
  });
});

describe('serialiseShardIndex', () => {
  test('writes what json.dumps(index, indent=2, sort_keys=True) and a newline give', () => {
    const weightMap = new Map([
      ['model.norm.weight', 'model-2.safetensors'],
      ['\u{1f600}', 'm.safetensors'],
      ['\uffee "é"\u007f', 'm.safetensors'],
      ['B', 'm.safetensors'],
      ['a', 'm.safetensors'],
    ]);
    expect(new TextDecoder().decode(serialiseShardIndex(weightMap, 1355008))).toBe(`{
  "metadata": {
    "total_size": 1355008
  },
  "weight_map": {
    "B": "m.safetensors",
    "a": "m.safetensors",
    "model.norm.weight": "model-2.safetensors",
    "\\uffee \\"\\u00e9\\"\\u007f": "m.safetensors",
    "\\ud83d\\ude00": "m.safetensors"
  }
}
`);
  });

  test('is read back as it was', () => {
    const weightMap = new Map([
      ['a', 'm.safetensors'],
      ['z\u{1f600}', 'n.safetensors'],
    ]);
    const index = parseShardIndex(serialiseShardIndex(weightMap, 7), INDEX);
    expect(index).toEqual({ weightMap, totalSize: 7, metadata: new Map() });
    expect(parseShardIndex(serialiseShardIndex(weightMap, 7, 3), INDEX)).toEqual({
      weightMap,
      totalSize: 7,
      metadata: new Map([['total_parameters', 3]]),
    });
  });
});
