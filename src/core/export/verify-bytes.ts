import type { ByteSource } from '../bytes/byte-source.ts';
import type { Shard } from '../checkpoint/checkpoint.ts';
import { streamBytes } from './byte-stream.ts';
import type { ExportManifest } from './manifest.ts';
import { type TensorExtent, TensorHasher } from './tensor-hasher.ts';
import type { ProblemList } from './verify-report.ts';

/** Where the tensors of a shard lie in its file, ascending. */
export function extentsOf(shard: Shard): TensorExtent[] {
  return shard.header.tensors
    .map(({ name, begin, end }) => ({ name, offset: shard.header.dataOffset + begin, byteLength: end - begin }))
    .sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
}

function firstDifference(left: Uint8Array, right: Uint8Array): number {
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return index;
  return -1;
}

export interface FileToVerify {
  readonly stored: ByteSource;
  /** Undefined for a file that is not a shard, or whose header could not be read. */
  readonly shard: Shard | undefined;
  /** The bytes that it must have by the unpruned model and the plan, where those are at hand. */
  readonly expected: ByteSource | undefined;
}

/**
 * Reads one file to its end and holds it against the manifest's hashes, of the file and of each tensor, and against the
 * bytes that the source gives.
 */
export async function verifyBytes(
  file: FileToVerify,
  manifest: ExportManifest,
  problems: ProblemList,
  signal: AbortSignal | undefined,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { stored, shard, expected } = file;
  const { name } = stored;
  const extents = shard === undefined ? [] : extentsOf(shard);
  const hasher = await TensorHasher.create(extents);
  let position = 0;
  let difference = -1;
  if (expected !== undefined && expected.size !== stored.size) {
    problems.add(
      'size-differs',
      `"${name}" has ${stored.size} bytes; by the source and the plan it has ${expected.size}.`,
      { file: name },
    );
  }
  const compared = expected !== undefined && expected.size === stored.size ? expected : undefined;
  const check = async (chunk: Uint8Array): Promise<void> => {
    hasher.update(chunk);
    if (compared !== undefined && difference < 0) {
      const found = firstDifference(chunk, await compared.read(position, chunk.byteLength, signal));
      if (found >= 0) difference = position + found;
    }
    position += chunk.byteLength;
    onBytes(chunk.byteLength);
  };
  await streamBytes(stored, check, { signal });
  if (difference >= 0) {
    const tensor = extents.find(
      ({ offset, byteLength }) => difference >= offset && difference < offset + byteLength,
    )?.name;
    problems.add(
      'bytes-differ',
      `Byte ${difference} of "${name}"${tensor === undefined ? '' : `, in the tensor "${tensor}",`} is not what the source has there.`,
      {
        file: name,
        ...(tensor === undefined ? {} : { tensor }),
      },
    );
  }
  const { sha256, tensors } = hasher.digest();
  const entry = manifest.files.find((candidate) => candidate.name === name);
  if (entry !== undefined && (entry.sha256 !== sha256 || entry.size !== stored.size)) {
    problems.add(
      'file-changed',
      `"${name}" is not the file that was exported: its sha256 or size differs from the manifest's.`,
      { file: name },
    );
  }
  for (const { name: tensor, file: holder, sha256: hash } of manifest.tensors) {
    if (holder !== name || !tensors.has(tensor) || tensors.get(tensor) === hash) continue;
    problems.add('tensor-changed', `The tensor "${tensor}" in "${name}" has other bytes than were exported.`, {
      file: name,
      tensor,
    });
  }
}
