import { StudioError } from '../base/errors.ts';
import type { Shard } from '../checkpoint/checkpoint.ts';
import { MAX_SHARDS } from '../safetensors/limits.ts';
import { formatBytes } from './format-bytes.ts';
import type { OutputTensor } from './output-tensors.ts';

/** The tensors of one output shard, before they are laid out. */
export interface ShardGroup {
  readonly name: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: readonly OutputTensor[];
}

const SINGLE_FILE = 'model.safetensors';

/** More than an entry of the header takes besides the name, however long its numbers are. */
const ENTRY_BYTES = 160;
const HEADER_BYTES = 64;

function numbered(index: number, count: number): string {
  const number = (value: number): string => String(value).padStart(5, '0');
  return `model-${number(index + 1)}-of-${number(count)}.safetensors`;
}

function metadataOf(shard: Shard): ReadonlyMap<string, string> {
  return shard.header.metadata ?? new Map();
}

/** What a tensor and its entry in the header take at most. Every character counts as if it were escaped. */
function costOf({ name, shape, byteLength }: OutputTensor): number {
  return byteLength + ENTRY_BYTES + 6 * name.length + 17 * shape.length;
}

/** What the metadata of all source shards together take at most in a header. */
function metadataCost(shards: readonly Shard[]): number {
  const all = new Map(shards.flatMap((shard) => [...metadataOf(shard)]));
  return [...all].reduce((sum, [key, value]) => sum + 6 * (key.length + value.length + 1), 0);
}

/** One output shard per input shard, under its old name; under new ones that count through when some shard is left empty. */
export function sourceGroups(
  shards: readonly Shard[],
  byFile: ReadonlyMap<string, readonly OutputTensor[]>,
): ShardGroup[] {
  const filled = shards.filter((shard) => (byFile.get(shard.file)?.length ?? 0) > 0);
  return filled.map((shard, index) => ({
    name: filled.length === shards.length ? shard.file : numbered(index, filled.length),
    metadata: metadataOf(shard),
    tensors: byFile.get(shard.file) ?? [],
  }));
}

/**
 * Output shards of at most `maxBytes` each, header included; a tensor that is larger has a shard of its own. Tensors keep
 * the order of the source's shards and of the bytes in them, so that each is read from its beginning to its end. A single
 * shard of a source without an index is called model.safetensors, as such a source is.
 * @throws StudioError family `export` code `too-many-shards`.
 */
export function sizedGroups(
  shards: readonly Shard[],
  byFile: ReadonlyMap<string, readonly OutputTensor[]>,
  maxBytes: number,
  indexed: boolean,
): ShardGroup[] {
  const groups: { metadata: Map<string, string>; tensors: OutputTensor[] }[] = [];
  const roomAtStart = maxBytes - HEADER_BYTES - metadataCost(shards);
  let room = 0;
  for (const shard of shards) {
    const outputs = [...(byFile.get(shard.file) ?? [])].sort(
      (left, right) => (left.ranges[0]?.offset ?? 0) - (right.ranges[0]?.offset ?? 0),
    );
    for (const output of outputs) {
      const cost = costOf(output);
      let group = groups.at(-1);
      if (group === undefined || cost > room) {
        group = { metadata: new Map(), tensors: [] };
        groups.push(group);
        room = roomAtStart;
      }
      // A key that two source shards give different values keeps the first.
      for (const [key, value] of metadataOf(shard)) if (!group.metadata.has(key)) group.metadata.set(key, value);
      group.tensors.push(output);
      room -= cost;
    }
  }
  if (groups.length > MAX_SHARDS) {
    throw new StudioError(
      'export',
      'too-many-shards',
      `With at most ${formatBytes(maxBytes)} each the export would have ${groups.length} shards; ${MAX_SHARDS} are possible.`,
      { nextStep: 'Choose a larger size of the shards: 5 GB is usual.', details: { shards: groups.length, maxBytes } },
    );
  }
  const alone = groups.length === 1 && !indexed;
  return groups.map(({ metadata, tensors }, index) => ({
    name: alone ? SINGLE_FILE : numbered(index, groups.length),
    metadata,
    tensors,
  }));
}
