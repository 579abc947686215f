import type { ByteSource } from '../bytes/byte-source.ts';
import type { Shard } from '../checkpoint/checkpoint.ts';
import { streamBytes } from './byte-stream.ts';
import { firstDifference } from './compare-bytes.ts';
import type { OpenFileHasher } from './file-hasher.ts';
import type { ExportManifest } from './manifest-schema.ts';
import type { TensorExtent } from './tensor-cuts.ts';
import type { ProblemList } from './verify-report.ts';

/** Where the tensors of a shard lie in its file, ascending. */
export function extentsOf(shard: Shard): TensorExtent[] {
  return shard.header.tensors
    .map(({ name, begin, end }) => ({ name, offset: shard.header.dataOffset + begin, byteLength: end - begin }))
    .sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
}

export interface FileToVerify {
  readonly stored: ByteSource;
  /** Undefined for a file that is not a shard, or whose header could not be read. */
  readonly shard: Shard | undefined;
  /** The bytes that it must have by the unpruned model and the plan, where those are at hand. */
  readonly expected: ByteSource | undefined;
}

export interface VerifyContext {
  readonly openHasher: OpenFileHasher;
  readonly signal: AbortSignal | undefined;
  readonly onBytes: (bytes: number) => void;
}

/**
 * Reads one file to its end and holds it against the manifest's hashes, of the file and of each tensor, and against the
 * bytes that the source gives.
 */
export async function verifyBytes(
  file: FileToVerify,
  manifest: ExportManifest,
  problems: ProblemList,
  { openHasher, signal, onBytes }: VerifyContext,
): Promise<void> {
  const { stored, shard, expected } = file;
  const { name } = stored;
  const extents = shard === undefined ? [] : extentsOf(shard);
  const hasher = await openHasher(extents);
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
  const check = async (chunk: Uint8Array<ArrayBuffer>): Promise<void> => {
    const reading =
      compared === undefined || difference >= 0 ? undefined : compared.read(position, chunk.byteLength, signal);
    // Its failure is met below; it must not count as unhandled while the chunk is hashed.
    reading?.catch(() => undefined);
    await hasher.update(chunk);
    if (reading !== undefined) {
      const found = firstDifference(chunk, await reading);
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
  const { sha256, tensors } = await hasher.digest();
  const entry = manifest.files.find((candidate) => candidate.name === name);
  if (entry !== undefined && (entry.sha256 !== sha256 || entry.size !== stored.size)) {
    problems.add(
      'file-changed',
      `"${name}" is not the file that was exported: its sha256 or size differs from the manifest's.`,
      { file: name },
    );
  }
  checkTensorHashes(name, tensors, manifest, problems);
}

function checkTensorHashes(
  name: string,
  found: ReadonlyMap<string, string>,
  manifest: ExportManifest,
  problems: ProblemList,
): void {
  for (const { name: tensor, file, sha256 } of manifest.tensors) {
    if (file !== name || !found.has(tensor) || found.get(tensor) === sha256) continue;
    problems.add('tensor-changed', `The tensor "${tensor}" in "${name}" has other bytes than were exported.`, {
      file: name,
      tensor,
    });
  }
}
