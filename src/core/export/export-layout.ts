import { StudioError } from '../base/errors.ts';
import type { ByteSource } from '../bytes/byte-source.ts';
import { MemorySource } from '../bytes/memory-source.ts';
import { sourceVersion } from '../bytes/source-version.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { summariseCheckpoint } from '../checkpoint/summarise.ts';
import { checkEvenLayers } from '../plan/constraints.ts';
import { checkPlanFits, parsePlan } from '../plan/plan-file.ts';
import type { PruningPlan } from '../plan/pruning-plan.ts';
import { parseShardIndex, serialiseShardIndex, TOTAL_PARAMETERS } from '../safetensors/shard-index.ts';
import { layoutTensors } from '../safetensors/writer.ts';
import { editConfig } from './config-edit.ts';
import { CONFIG_FILE, INDEX_FILE, isOwnFile, isSystemFile, PLAN_FILE } from './export-files.ts';
import { type OutputTensor, outputTensors } from './output-tensors.ts';
import { PlannedShard } from './planned-shard.ts';
import { sha256Of } from './sha256.ts';
import { type ShardGroup, sizedGroups, sourceGroups } from './shard-groups.ts';

/** One file of the export. `open` gives the bytes it will have, read from the source when they are asked for. */
export interface PlannedFile {
  readonly name: string;
  readonly size: number;
  /** The source files that `open` reads from. */
  readonly sourceFiles: readonly string[];
  open(signal?: AbortSignal): Promise<ByteSource>;
}

export interface PlacedTensor extends OutputTensor {
  /** Absolute offset in the output shard. */
  readonly offset: number;
}

export interface ShardLayout extends PlannedFile {
  /** Eight bytes of length, then the JSON header. */
  readonly header: Uint8Array<ArrayBuffer>;
  /** In file order. */
  readonly tensors: readonly PlacedTensor[];
}

/** Everything about an export that can be known before its first byte is written. */
export interface ExportLayout {
  readonly plan: PruningPlan;
  /** sha256 of the plan file's text. */
  readonly planHash: string;
  /** E': experts that every layer keeps. */
  readonly experts: number;
  readonly shards: readonly ShardLayout[];
  /** Tokenizer, licence and the like, copied byte for byte. */
  readonly companions: readonly PlannedFile[];
  /** Largest size of a shard that was asked for; undefined: the source's own split. */
  readonly shardBytes: number | undefined;
  /** Absent when the export is a single model.safetensors. */
  readonly index: PlannedFile | undefined;
  readonly planFile: PlannedFile;
  readonly config: PlannedFile;
  /** Sizes of the source files that are read, to see that they stay the same. */
  readonly sourceSizes: ReadonlyMap<string, number>;
  /** Their versions (see sourceVersion), for the same. */
  readonly sourceVersions: ReadonlyMap<string, string>;
}

export interface LayoutOptions {
  /** Bytes that an output shard has at most, header included. The source's own split when absent. */
  readonly shardBytes?: number | undefined;
}

/** Weights in other formats beside the shards are of the unpruned model; a copy of them would be wrong beside the new config. */
const OTHER_WEIGHTS = /\.(bin|pt|pth|ckpt|gguf|h5|msgpack|onnx|safetensors)$|\.index\.json$/;

function inMemory(name: string, bytes: Uint8Array<ArrayBuffer>): PlannedFile {
  return { name, size: bytes.byteLength, sourceFiles: [], open: async () => new MemorySource(name, bytes) };
}

function layoutShard(checkpoint: Checkpoint, { name, metadata, tensors: outputs }: ShardGroup): ShardLayout {
  const byName = new Map(outputs.map((output) => [output.name, output]));
  const { header, entries, fileSize } = layoutTensors(
    outputs.map(({ name: tensor, dtype, shape }) => ({ name: tensor, dtype, shape })),
    metadata,
  );
  const tensors: PlacedTensor[] = [];
  for (const entry of entries) {
    const output = byName.get(entry.name);
    if (output === undefined || output.byteLength !== entry.end - entry.begin)
      throw new RangeError(`"${entry.name}" was laid out with another size`);
    tensors.push({ ...output, offset: header.byteLength + entry.begin });
  }
  const ranges = tensors.flatMap((tensor) => tensor.ranges);
  const sourceFiles = [...new Set(ranges.map((range) => range.file))];
  const open = async (signal?: AbortSignal): Promise<ByteSource> => {
    const sources = new Map<string, ByteSource>();
    for (const file of sourceFiles) sources.set(file, await checkpoint.folder.open(file, signal));
    return new PlannedShard(name, header, ranges, sources);
  };
  return { name, size: fileSize, sourceFiles, header, tensors, open };
}

function elementsOf(tensors: Iterable<{ readonly shape: readonly number[] }>): number {
  let elements = 0;
  for (const { shape } of tensors) elements += shape.reduce((product, size) => product * size, 1);
  return elements;
}

/** The index counts parameters where the source's does, and as that does: packed formats can be counted in several ways. */
async function countsParameters(checkpoint: Checkpoint, signal?: AbortSignal): Promise<boolean> {
  const { indexFile } = checkpoint;
  if (indexFile === undefined) return false;
  const source = await checkpoint.folder.open(indexFile, signal);
  const { metadata } = parseShardIndex(await source.read(0, source.size, signal), indexFile);
  return metadata.get(TOTAL_PARAMETERS) === elementsOf(checkpoint.tensors.values());
}

/** An index where the source has one, and where there are several shards. */
async function layoutIndex(
  checkpoint: Checkpoint,
  shards: readonly ShardLayout[],
  signal?: AbortSignal,
): Promise<PlannedFile | undefined> {
  if (checkpoint.indexFile === undefined && shards.length === 1) return undefined;
  const weightMap = new Map<string, string>();
  let totalSize = 0;
  for (const shard of shards) {
    for (const tensor of shard.tensors) {
      weightMap.set(tensor.name, shard.name);
      totalSize += tensor.byteLength;
    }
  }
  const counted = await countsParameters(checkpoint, signal);
  const parameters = counted ? elementsOf(shards.flatMap(({ tensors }) => tensors)) : undefined;
  return inMemory(INDEX_FILE, serialiseShardIndex(weightMap, totalSize, parameters));
}

async function layoutConfig(
  checkpoint: Checkpoint,
  plan: PruningPlan,
  experts: number,
  signal?: AbortSignal,
): Promise<PlannedFile> {
  const source = await checkpoint.folder.open(CONFIG_FILE, signal);
  const bytes = await source.read(0, source.size, signal);
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  const { architecture, config, tensors } = checkpoint;
  const held = [...tensors.values()].some(({ role }) => role.nextToken);
  const edited = editConfig(text, {
    architecture,
    from: config.experts,
    to: experts,
    plan,
    withoutNextToken: plan.nextToken === 'drop' && held,
  });
  return inMemory(CONFIG_FILE, new TextEncoder().encode(edited));
}

/**
 * A file of further-token layers that the index does not name would be left behind, while config.json goes on counting it.
 * @throws StudioError family `export` code `unlisted-shard`.
 */
function checkUnlistedShards({ folder, shards, config }: Checkpoint): void {
  const known = new Set(shards.map(({ file }) => file));
  const unlisted = folder.names.find((name) => /^mtp.*\.safetensors$/.test(name) && !known.has(name));
  if (unlisted === undefined || config.nextTokenLayers === 0) return;
  throw new StudioError(
    'export',
    'unlisted-shard',
    `"${unlisted}" holds layers that predict further tokens, but the index does not name it, so it would stay unpruned.`,
    {
      nextStep: `Add its tensors to ${INDEX_FILE}, or set their count in config.json to 0 and take the file away; then open the model again.`,
      details: { file: unlisted },
    },
  );
}

/** The files that are copied, and the sizes and versions of all source files that are read. */
async function layoutCopies(
  checkpoint: Checkpoint,
  signal?: AbortSignal,
): Promise<Pick<ExportLayout, 'companions' | 'sourceSizes' | 'sourceVersions'>> {
  const { folder } = checkpoint;
  const sourceSizes = new Map(checkpoint.shards.map((shard) => [shard.file, shard.size]));
  const sourceVersions = new Map<string, string>();
  for (const { file } of checkpoint.shards) sourceVersions.set(file, sourceVersion(await folder.open(file, signal)));
  const companions: PlannedFile[] = [];
  for (const name of checkpoint.companionFiles) {
    if (isOwnFile(name) || isSystemFile(name) || OTHER_WEIGHTS.test(name)) continue;
    const source = await folder.open(name, signal);
    const { size } = source;
    sourceSizes.set(name, size);
    sourceVersions.set(name, sourceVersion(source));
    companions.push({ name, size, sourceFiles: [name], open: (openSignal) => folder.open(name, openSignal) });
  }
  return { companions, sourceSizes, sourceVersions };
}

/**
 * Lays out the pruned checkpoint: every file with its exact size, every tensor with the source bytes it is made of. Reads
 * config.json, the index and the sizes of the files that are copied, no weights. One output shard per input shard; a shard that is
 * left without tensors is dropped and the others are numbered anew; with `shardBytes` the tensors are split anew. Each file
 * keeps its own `__metadata__`.
 * @param planJson The plan file's exact text; it becomes part of the export.
 * @throws StudioError of the families `plan` (not a plan, one of another model, `uneven-layers`,
 * `fewer-than-top-k`, `uneven-groups`), `export` (`config-disagrees`, `no-expert-count`, `ambiguous-expert-names`, `unlisted-shard`,
 * `uncuttable-tensor`, `too-many-shards`) and `source`.
 */
export async function layoutExport(
  checkpoint: Checkpoint,
  planJson: string,
  signal?: AbortSignal,
  { shardBytes }: LayoutOptions = {},
): Promise<ExportLayout> {
  const plan = parsePlan(planJson);
  checkPlanFits(plan, summariseCheckpoint(checkpoint));
  checkEvenLayers(plan);
  checkUnlistedShards(checkpoint);
  const experts = plan.layers[0]?.keep.length ?? checkpoint.config.experts;
  const byFile = outputTensors(checkpoint, plan);
  const groups =
    shardBytes === undefined
      ? sourceGroups(checkpoint.shards, byFile)
      : sizedGroups(checkpoint.shards, byFile, shardBytes, checkpoint.indexFile !== undefined);
  const shards = groups.map((group) => layoutShard(checkpoint, group));
  return {
    plan,
    planHash: await sha256Of(planJson),
    experts,
    shards,
    shardBytes,
    ...(await layoutCopies(checkpoint, signal)),
    index: await layoutIndex(checkpoint, shards, signal),
    planFile: inMemory(PLAN_FILE, new TextEncoder().encode(planJson)),
    config: await layoutConfig(checkpoint, plan, experts, signal),
  };
}
