import type { Architecture } from '../core/architectures/descriptor.ts';
import { StudioError } from '../core/base/errors.ts';
import type { SourceFolder } from '../core/bytes/byte-source.ts';
import type { Checkpoint } from '../core/checkpoint/checkpoint.ts';
import { openCheckpoint } from '../core/checkpoint/open-checkpoint.ts';
import { openNodeFolder } from './node-folder.ts';

/** Opens the folder that MODEL or DIR names. @throws StudioError family `source`: `only-local`, or that the folder cannot be read. */
export async function openFolder(path: string): Promise<SourceFolder> {
  if (path.startsWith('hf:')) {
    throw new StudioError('source', 'only-local', 'Only local folders can be opened by this version.', {
      nextStep: 'Download the repository and give its folder.',
      details: { model: path },
    });
  }
  return openNodeFolder(path);
}

/** Opens the checkpoint that MODEL names: config and headers only. `architecture`: a descriptor in place of the registry's row. */
export async function openModel(path: string, signal: AbortSignal, architecture?: Architecture): Promise<Checkpoint> {
  return openCheckpoint(await openFolder(path), { signal, ...(architecture === undefined ? {} : { architecture }) });
}
