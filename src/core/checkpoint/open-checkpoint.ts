import type { Architecture } from '../architectures/descriptor.ts';
import { architectureFor, architectures } from '../architectures/registry.ts';
import { StudioError } from '../base/errors.ts';
import { parseConfigText, type ReadonlyJsonObject } from '../base/json.ts';
import type { SourceFolder } from '../bytes/byte-source.ts';
import { readQuantisation } from '../quantisation/quantisation-config.ts';
import { readHeader } from '../safetensors/header.ts';
import { MAX_INDEX_BYTES } from '../safetensors/limits.ts';
import { parseShardIndex, type ShardIndex } from '../safetensors/shard-index.ts';
import { checkTensors } from './check-tensors.ts';
import type { Checkpoint, CheckpointTensor, Shard } from './checkpoint.ts';
import { ConfigReader } from './config-reader.ts';
import { fingerprintOf } from './fingerprint.ts';
import { readModelConfig } from './model-config.ts';
import { roleClassifier } from './tensor-roles.ts';
import { weightTable } from './weight-table.ts';

const CONFIG_FILE = 'config.json';
const INDEX_FILE = 'model.safetensors.index.json';
const SINGLE_FILE = 'model.safetensors';
/** config.json of the largest models is some 100 kB; far more than that is not a config. */
const MAX_CONFIG_BYTES = 16_000_000;
const HEADERS_IN_FLIGHT = 8;

function refuse(code: string, message: string, nextStep: string, file: string): StudioError {
  return new StudioError('checkpoint', code, message, { nextStep, details: { file } });
}

async function readWholeFile(
  folder: SourceFolder,
  name: string,
  limit: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const source = await folder.open(name, signal);
  if (source.size > limit) {
    throw refuse(
      'file-too-large',
      `"${name}" has ${source.size} bytes, more than a file of its kind can have.`,
      'Check that this is the original file.',
      name,
    );
  }
  return source.read(0, source.size, signal);
}

async function readConfigJson(folder: SourceFolder, signal?: AbortSignal): Promise<ReadonlyJsonObject> {
  if (!folder.names.includes(CONFIG_FILE)) {
    throw refuse(
      'missing-config',
      `"${folder.label}" holds no config.json.`,
      'Open the folder that holds config.json and the .safetensors files of one model.',
      CONFIG_FILE,
    );
  }
  const text = new TextDecoder().decode(await readWholeFile(folder, CONFIG_FILE, MAX_CONFIG_BYTES, signal));
  let json: unknown;
  try {
    json = parseConfigText(text);
  } catch (cause) {
    throw new StudioError('checkpoint', 'bad-config', 'config.json is not valid JSON.', {
      nextStep: 'Download config.json again from the original repository.',
      details: { file: CONFIG_FILE },
      cause,
    });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw refuse(
      'bad-config',
      'config.json is not a JSON object.',
      'Download config.json again from the original repository.',
      CONFIG_FILE,
    );
  }
  return json as ReadonlyJsonObject;
}

function architectureOf(json: ReadonlyJsonObject): Architecture {
  const modelType = typeof json.model_type === 'string' ? json.model_type : '';
  const architecture = architectureFor(modelType);
  if (architecture === undefined) {
    const known = architectures
      .all()
      .map((row) => row.label)
      .join(', ');
    throw refuse(
      'unknown-architecture',
      modelType === ''
        ? 'config.json does not say which kind of model this is (no "model_type").'
        : `The studio does not know models of the type "${modelType.slice(0, 80)}".`,
      `Open a model of a family that it knows (${known}), or let the inspector work out how this one is built.`,
      CONFIG_FILE,
    );
  }
  return architecture;
}

/** Shard names in order, and the index when there is one. */
async function findShards(
  folder: SourceFolder,
  signal?: AbortSignal,
): Promise<{ names: readonly string[]; index?: ShardIndex }> {
  if (folder.names.includes(INDEX_FILE)) {
    const index = parseShardIndex(await readWholeFile(folder, INDEX_FILE, MAX_INDEX_BYTES, signal), INDEX_FILE);
    const names = [...new Set(index.weightMap.values())].sort();
    const missing = names.filter((name) => !folder.names.includes(name));
    if (missing[0] !== undefined) {
      throw refuse(
        'missing-shard',
        `The shard "${missing[0]}" is missing${missing.length > 1 ? `, and ${missing.length - 1} more` : ''}: the index names ${names.length} shards.`,
        'Download the missing files into the same folder and open it again.',
        missing[0],
      );
    }
    return { names, index };
  }
  if (folder.names.includes(SINGLE_FILE)) return { names: [SINGLE_FILE] };
  if (folder.names.some((name) => name.endsWith('.safetensors'))) {
    throw refuse(
      'missing-index',
      `"${folder.label}" holds shards but no ${INDEX_FILE}.`,
      `Download ${INDEX_FILE} from the original repository into the same folder.`,
      INDEX_FILE,
    );
  }
  throw refuse(
    'no-weights',
    `"${folder.label}" holds no .safetensors file.`,
    'Open the folder that holds config.json and the .safetensors files of one model.',
    SINGLE_FILE,
  );
}

async function readShards(folder: SourceFolder, names: readonly string[], signal?: AbortSignal): Promise<Shard[]> {
  const shards: Shard[] = [];
  for (let start = 0; start < names.length; start += HEADERS_IN_FLIGHT) {
    const batch = names.slice(start, start + HEADERS_IN_FLIGHT).map(async (file): Promise<Shard> => {
      const source = await folder.open(file, signal);
      return { file, size: source.size, header: await readHeader(source, signal) };
    });
    shards.push(...(await Promise.all(batch)));
  }
  return shards;
}

/** Every index entry lies in the shard that it names, and no shard holds a tensor that the index does not name there. */
function checkIndex(index: ShardIndex, shards: readonly Shard[]): void {
  let held = 0;
  let bytes = 0;
  for (const { file, header } of shards) {
    for (const tensor of header.tensors) {
      held += 1;
      bytes += tensor.end - tensor.begin;
      const named = index.weightMap.get(tensor.name);
      if (named === file) continue;
      throw new StudioError(
        'checkpoint',
        'index-mismatch',
        `"${file}" holds the tensor "${tensor.name}", but the index ${named === undefined ? 'does not name it' : `says it lies in "${named}"`}.`,
        {
          nextStep:
            'The index and the shards are of different downloads. Download all of them again from one revision.',
          details: { file, tensor: tensor.name },
        },
      );
    }
  }
  if (held !== index.weightMap.size) {
    const there = new Set(shards.flatMap((shard) => shard.header.tensors.map((tensor) => tensor.name)));
    const missing = [...index.weightMap].find(([name]) => !there.has(name));
    throw new StudioError(
      'checkpoint',
      'index-mismatch',
      `The index names the tensor "${missing?.[0] ?? ''}" in "${missing?.[1] ?? ''}", but that shard does not hold it.`,
      {
        nextStep: 'The index and the shards are of different downloads. Download all of them again from one revision.',
        details: { file: missing?.[1] ?? INDEX_FILE, tensor: missing?.[0] ?? null },
      },
    );
  }
  if (index.totalSize !== undefined && index.totalSize !== bytes) {
    throw new StudioError(
      'checkpoint',
      'total-size-mismatch',
      `The index says the tensors take ${index.totalSize} bytes, but the shards hold ${bytes}.`,
      {
        nextStep:
          'Download the index and all shards again from one revision, or remove "total_size" from the index if it was edited by hand.',
        details: { file: INDEX_FILE, expected: index.totalSize, found: bytes },
      },
    );
  }
}

function classify(
  shards: readonly Shard[],
  roleOf: ReturnType<typeof roleClassifier>,
  label: string,
): Map<string, CheckpointTensor> {
  const tensors = new Map<string, CheckpointTensor>();
  const unknown: string[] = [];
  for (const { file, header } of shards) {
    for (const { name, dtype, shape, begin, end } of header.tensors) {
      const role = roleOf(name, shape);
      if (role === undefined) {
        unknown.push(name);
        continue;
      }
      tensors.set(name, { name, dtype, shape, file, offset: header.dataOffset + begin, byteLength: end - begin, role });
    }
  }
  if (unknown[0] !== undefined) {
    throw new StudioError(
      'checkpoint',
      'unclassified-tensor',
      `A ${label} model has no tensor "${unknown[0]}"${unknown.length > 1 ? `, nor ${unknown.length - 1} others of this file set` : ''}.`,
      {
        nextStep:
          'Check that config.json belongs to these weights. Models with extra parts cannot be opened by this version.',
        details: { tensor: unknown[0], count: unknown.length },
      },
    );
  }
  return tensors;
}

export interface OpenOptions {
  /** Read the model by this descriptor, whatever its `model_type`. */
  readonly architecture?: Architecture;
  readonly signal?: AbortSignal;
}

/**
 * Opens a checkpoint: reads config.json, the shard index and every shard's header, gives each tensor its role, and
 * checks that all tensors of the forward pass are there with the shapes that config.json implies. Reads no weights.
 * @throws StudioError of the families `checkpoint`, `safetensors` and `source`; each names the file or tensor.
 */
export async function openCheckpoint(
  folder: SourceFolder,
  { architecture: given, signal }: OpenOptions = {},
): Promise<Checkpoint> {
  const configJson = await readConfigJson(folder, signal);
  const architecture = given ?? architectureOf(configJson);
  const config = readModelConfig(configJson, architecture);
  const { names, index } = await findShards(folder, signal);
  const shards = await readShards(folder, names, signal);
  if (index !== undefined) checkIndex(index, shards);
  const tensors = classify(shards, roleClassifier(architecture, config.layers), architecture.label);
  const quantisation = readQuantisation(
    ConfigReader.of(configJson, architecture.section).object(['quantization_config', 'compression_config']),
  );
  checkTensors(architecture, config, tensors, weightTable({ tensors, quantisation }), quantisation !== undefined);
  const handled = new Set([CONFIG_FILE, ...(index === undefined ? [] : [INDEX_FILE]), ...names]);
  return {
    folder,
    architecture,
    config,
    configJson,
    quantisation,
    shards,
    indexFile: index === undefined ? undefined : INDEX_FILE,
    tensors,
    moeLayers: config.layerPlans.flatMap(({ moe }, layer) => (moe ? [layer] : [])),
    companionFiles: folder.names.filter((name) => !handled.has(name) && !name.endsWith('.safetensors')).sort(),
    fingerprint: await fingerprintOf(config, tensors.values()),
  };
}
