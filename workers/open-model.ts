import { parseDescriptor } from '../src/core/architectures/descriptor-file.ts';
import type { SourceFolder } from '../src/core/bytes/byte-source.ts';
import type { Checkpoint } from '../src/core/checkpoint/checkpoint.ts';
import { openCheckpoint } from '../src/core/checkpoint/open-checkpoint.ts';
import type { SourceSpec } from '../src/core/protocol/source-spec.ts';

interface Sources {
  openSource(spec: SourceSpec): SourceFolder | Promise<SourceFolder>;
}

/**
 * Opens the checkpoint that a message names, by its own descriptor where it carries one.
 * @throws StudioError as `openCheckpoint` and `parseDescriptor`.
 */
export async function openModel(sources: Sources, spec: SourceSpec, signal?: AbortSignal): Promise<Checkpoint> {
  return openCheckpoint(await sources.openSource(spec), {
    ...(spec.descriptor === undefined ? {} : { architecture: parseDescriptor(spec.descriptor) }),
    ...(signal === undefined ? {} : { signal }),
  });
}
