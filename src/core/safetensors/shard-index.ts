import { compareCodePoints } from './code-points.ts';
import { refuseImpostor } from './impostor.ts';
import { decodeUtf8, JsonScanner, type JsonValue } from './json-scanner.ts';
import { MAX_INDEX_BYTES, MAX_SHARDS } from './limits.ts';
import { quoted, type Refuse, refusalsOf } from './refusals.ts';
import { shardNameProblem } from './shard-name.ts';

/** model.safetensors.index.json: which shard holds which tensor. */
export interface ShardIndex {
  /** Tensor name → shard file name, in the file's order. Every shard name is safe to open in the index's own folder. */
  readonly weightMap: ReadonlyMap<string, string>;
  /** `metadata.total_size`: bytes of all tensors together. */
  readonly totalSize: number | undefined;
  /** The rest of `metadata`, as it stands. */
  readonly metadata: ReadonlyMap<string, JsonValue>;
}

const TOTAL_SIZE = 'total_size';
/** Numbers in all tensors together, in indices that transformers 5 wrote. */
export const TOTAL_PARAMETERS = 'total_parameters';

function readWeightMap(scanner: JsonScanner, refuse: Refuse): Map<string, string> {
  if (scanner.kind() !== 'object') throw refuse('bad-weight-map', 'has a "weight_map" that is not an object');
  const weightMap = new Map<string, string>();
  // One string per shard, not one per tensor.
  const shards = new Map<string, string>();
  scanner.object((tensor) => {
    if (scanner.kind() !== 'string') {
      throw refuse('bad-weight-map', `gives the tensor ${quoted(tensor)} a shard that is not a string`, { tensor });
    }
    const text = scanner.string();
    let shard = shards.get(text);
    if (shard === undefined) {
      const problem = shardNameProblem(text);
      if (problem !== undefined) {
        throw refuse(
          'unsafe-shard-name',
          `names a shard ${quoted(text)} that is not a safe file name: it has ${problem}`,
          { tensor, shard: text },
        );
      }
      if (shards.size >= MAX_SHARDS) throw refuse('too-many-shards', `names more than ${MAX_SHARDS} shards`);
      shards.set(text, text);
      shard = text;
    }
    weightMap.set(tensor, shard);
  });
  if (weightMap.size === 0) throw refuse('bad-weight-map', 'has a "weight_map" that names no tensor');
  return weightMap;
}

function readMetadata(scanner: JsonScanner, refuse: Refuse): Map<string, JsonValue> {
  if (scanner.kind() !== 'object') throw refuse('bad-metadata', 'has a "metadata" that is not an object');
  const metadata = new Map<string, JsonValue>();
  scanner.object((key) => metadata.set(key, scanner.value()));
  return metadata;
}

function totalSizeOf(value: JsonValue, refuse: Refuse): number {
  // Some writers spell the number as a float ("1355008.0"): its value counts, not its spelling.
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw refuse('bad-total-size', 'has a "total_size" that is not a whole number of bytes');
}

/**
 * Parses and checks a shard index.
 * @param fileName For messages.
 * @throws StudioError family `safetensors`: `index-too-large`, `lfs-pointer`, `html-page`, `invalid-utf8`, `not-json`,
 * `too-complex`, `duplicate-key`, `trailing-bytes`, `root-not-object`, `missing-field`, `bad-weight-map`,
 * `unsafe-shard-name`, `too-many-shards`, `bad-metadata`, `bad-total-size`.
 */
export function parseShardIndex(bytes: Uint8Array, fileName: string): ShardIndex {
  const refuse = refusalsOf(fileName);
  if (bytes.byteLength > MAX_INDEX_BYTES) {
    throw refuse('index-too-large', `has ${bytes.byteLength} bytes, more than an index can have`, {
      size: bytes.byteLength,
    });
  }
  refuseImpostor(bytes, refuse);
  const scanner = new JsonScanner(decodeUtf8(bytes, refuse), refuse);
  if (scanner.kind() !== 'object') throw refuse('root-not-object', 'is not a JSON object');
  let weightMap: ReadonlyMap<string, string> | undefined;
  let metadata: ReadonlyMap<string, JsonValue> = new Map();
  scanner.object((key) => {
    if (key === 'weight_map') weightMap = readWeightMap(scanner, refuse);
    else if (key === 'metadata') metadata = readMetadata(scanner, refuse);
    else scanner.value();
  });
  scanner.end();
  if (weightMap === undefined) throw refuse('missing-field', 'has no "weight_map"');
  const total = metadata.get(TOTAL_SIZE);
  const others = new Map([...metadata].filter(([key]) => key !== TOTAL_SIZE));
  return { weightMap, totalSize: total === undefined ? undefined : totalSizeOf(total, refuse), metadata: others };
}

/** A string as Python's json.dumps writes it: everything outside printable ASCII escaped. */
function asciiJson(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * The index as transformers writes it (json.dumps with indent 2, sorted keys, ASCII only, a newline at the end).
 * @param weightMap Tensor name → shard file name; at least one.
 * @param totalSize Bytes of all tensors together.
 * @param totalParameters Numbers in all tensors together, which transformers 5 writes as well.
 */
export function serialiseShardIndex(
  weightMap: ReadonlyMap<string, string>,
  totalSize: number,
  totalParameters?: number,
): Uint8Array<ArrayBuffer> {
  const parameters = totalParameters === undefined ? '' : `    "${TOTAL_PARAMETERS}": ${totalParameters},\n`;
  const lines = [...weightMap]
    .sort(([left], [right]) => compareCodePoints(left, right))
    .map(([tensor, shard]) => `    ${asciiJson(tensor)}: ${asciiJson(shard)}`);
  const text = `{\n  "metadata": {\n${parameters}    "total_size": ${totalSize}\n  },\n  "weight_map": {\n${lines.join(',\n')}\n  }\n}\n`;
  return new TextEncoder().encode(text);
}
