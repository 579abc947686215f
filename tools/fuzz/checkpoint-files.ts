import fc from 'fast-check';
import { TINY_SHAPE, type TinyShape, tinyCheckpointFiles } from '../../src/core/checkpoint/tiny-checkpoint.fixture.ts';
import { parseHeader, type TensorEntry } from '../../src/core/safetensors/header.ts';
import { serialiseShardIndex } from '../../src/core/safetensors/shard-index.ts';
import { layoutTensors } from '../../src/core/safetensors/writer.ts';

export type Files = Map<string, Uint8Array<ArrayBuffer>>;

export const SHARDS = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;
export const INDEX = 'model.safetensors.index.json';
const SHAPE: TinyShape = { ...TINY_SHAPE, layers: 2, experts: 2, topK: 1, hiddenSize: 8, expertWidth: 4, headDim: 4 };

const encoder = new TextEncoder();

/** A shard of `entries`, whose bytes lie in `source` at `dataOffset`. */
function shardOf(entries: readonly TensorEntry[], source: Uint8Array, dataOffset: number): Uint8Array<ArrayBuffer> {
  const layout = layoutTensors(entries, new Map([['format', 'pt']]));
  const file = new Uint8Array(layout.fileSize);
  file.set(layout.header);
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  for (const { name, begin } of layout.entries) {
    const from = byName.get(name);
    if (from === undefined) continue;
    file.set(source.subarray(dataOffset + from.begin, dataOffset + from.end), layout.header.byteLength + begin);
  }
  return file;
}

const TOKENIZER = {
  version: '1.0',
  added_tokens: [{ id: 5, content: '<|end|>', special: true }],
  normalizer: {
    type: 'Sequence',
    normalizers: [{ type: 'NFC' }, { type: 'Replace', pattern: { String: '_' }, content: ' ' }],
  },
  pre_tokenizer: { type: 'Split', pattern: { Regex: '\\p{L}+|\\s+|.' }, behavior: 'Isolated', invert: false },
  post_processor: null,
  decoder: { type: 'Fuse' },
  model: { type: 'BPE', unk_token: 'u', vocab: { a: 0, b: 1, ab: 2, ' ': 3, u: 4 }, merges: [['a', 'b']] },
};
const TEMPLATE = '{% for m in messages %}{{ m.role }}: {{ m.content | trim }}\n{% endfor %}{{ eos_token }}';

function makeFiles(): Files {
  const { 'config.json': config, 'model.safetensors': whole } = Object.fromEntries(tinyCheckpointFiles(SHAPE));
  if (config === undefined || whole === undefined) throw new Error('the fixture has other files');
  const { tensors, dataOffset } = parseHeader(whole, whole.byteLength, 'model.safetensors');
  const half = Math.floor(tensors.length / 2);
  const parts = [tensors.slice(0, half), tensors.slice(half)];
  const weightMap = new Map(parts.flatMap((part, i) => part.map(({ name }) => [name, SHARDS[i] ?? ''] as const)));
  const totalSize = tensors.reduce((sum, { begin, end }) => sum + end - begin, 0);
  return new Map([
    ['config.json', config],
    [INDEX, serialiseShardIndex(weightMap, totalSize)],
    ...parts.map((part, i) => [SHARDS[i] ?? '', shardOf(part, whole, dataOffset)] as const),
    ['tokenizer.json', encoder.encode(JSON.stringify(TOKENIZER, null, 1))],
    ['tokenizer_config.json', encoder.encode(JSON.stringify({ eos_token: '<|end|>', chat_template: TEMPLATE }))],
  ]);
}

const WHOLE = makeFiles();

/** A small checkpoint of two shards with its tokenizer; the bytes are shared and must not be written to. */
export function wholeCheckpoint(): Files {
  return new Map(WHOLE);
}

/** One change of a file's bytes: what damaged disks, cut downloads and editors do. */
type ByteChange = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;

const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const meaningful = encoder.encode('{}[]",:\\0-9eE. \n\0ÿ%');

const byteChange: fc.Arbitrary<ByteChange> = fc.oneof(
  fc.tuple(place, fc.integer({ min: 0, max: 7 })).map(
    ([at, bit]): ByteChange =>
      (bytes) => {
        const changed = bytes.slice();
        const index = Math.floor(at * bytes.length);
        changed[index] = (changed[index] ?? 0) ^ (1 << bit);
        return changed;
      },
  ),
  fc.tuple(place, fc.constantFrom(...meaningful)).map(
    ([at, value]): ByteChange =>
      (bytes) => {
        const changed = bytes.slice();
        changed[Math.floor(at * bytes.length)] = value;
        return changed;
      },
  ),
  place.map(
    (at): ByteChange =>
      (bytes) =>
        bytes.slice(0, Math.floor(at * bytes.length)),
  ),
  fc.tuple(place, place, fc.integer({ min: 1, max: 200 })).map(
    ([from, to, length]): ByteChange =>
      (bytes) => {
        const start = Math.floor(from * bytes.length);
        return bytes.slice().copyWithin(Math.floor(to * bytes.length), start, start + length);
      },
  ),
);

/** A number in a JSON file for another one that a reader could believe. */
const numberChange: fc.Arbitrary<ByteChange> = fc
  .tuple(
    fc.nat(),
    fc.constantFrom('0', '-1', '1e9', '1e308', '1e400', '9007199254740993', '0.5', '"3"', 'null', '[]', 'NaN', '{}'),
  )
  .map(
    ([which, value]): ByteChange =>
      (bytes) => {
        const text = new TextDecoder().decode(bytes);
        const numbers = [...text.matchAll(/-?\d+(?:\.\d+)?(?![\w."])/g)];
        const chosen = numbers[which % Math.max(1, numbers.length)];
        if (chosen === undefined) return bytes;
        return encoder.encode(text.slice(0, chosen.index) + value + text.slice(chosen.index + chosen[0].length));
      },
  );

/** A member or element of a JSON file taken away, doubled or moved into another's place. */
const memberChange: fc.Arbitrary<ByteChange> = fc
  .tuple(fc.nat(), fc.nat(), fc.constantFrom('drop', 'double', 'swap'))
  .map(
    ([first, second, how]): ByteChange =>
      (bytes) => {
        const parts = new TextDecoder().decode(bytes).split(',');
        const [a, b] = [first % parts.length, second % parts.length];
        if (how === 'drop') parts.splice(a, 1);
        else if (how === 'double') parts.splice(b, 0, parts[a] ?? '');
        else [parts[a], parts[b]] = [parts[b] ?? '', parts[a] ?? ''];
        return encoder.encode(parts.join(','));
      },
  );

const isJson = (name: string): boolean => name.endsWith('.json');

/** The whole checkpoint after one to three changes of its files; some are still whole. */
export const damagedCheckpoints: fc.Arbitrary<Files> = fc
  .array(
    fc.constantFrom(...WHOLE.keys()).chain((name) => {
      const change = isJson(name) ? fc.oneof(byteChange, numberChange, memberChange) : byteChange;
      return change.map((damage) => [name, damage] as const);
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((changes) => {
    const files = wholeCheckpoint();
    for (const [name, damage] of changes) files.set(name, damage(files.get(name) ?? new Uint8Array()));
    return files;
  });
