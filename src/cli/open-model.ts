import process from 'node:process';
import type { Architecture } from '../core/architectures/descriptor.ts';
import type { SourceFolder } from '../core/bytes/byte-source.ts';
import type { HttpAccess } from '../core/bytes/http-access.ts';
import type { Checkpoint } from '../core/checkpoint/checkpoint.ts';
import { openCheckpoint } from '../core/checkpoint/open-checkpoint.ts';
import { HubFolder } from '../core/hub/hub-folder.ts';
import { DEFAULT_ENDPOINT, parseHubName } from '../core/hub/hub-name.ts';
import { resolveHub } from '../core/hub/open-hub.ts';
import { openNodeFolder } from './node-folder.ts';

export const NODE_ACCESS: HttpAccess = { fetch: (input, init) => fetch(input, init) };

/** Which hub names are looked up on, and by whom: the environment that the hub's own tools read. */
export function hubSettings(environment: NodeJS.ProcessEnv = process.env): { endpoint: string; token?: string } {
  const endpoint = environment['HF_ENDPOINT']?.trim() || DEFAULT_ENDPOINT;
  const token = environment['HF_TOKEN']?.trim() || environment['HUGGING_FACE_HUB_TOKEN']?.trim();
  return { endpoint, ...(token ? { token } : {}) };
}

/**
 * Opens the folder that MODEL or DIR names: a path, or `hf:org/name[@revision]` at the commit that it is now.
 * @throws StudioError family `source` when it cannot be read; as parseHubName and resolveHub for a name on the hub.
 */
export async function openFolder(path: string, signal?: AbortSignal): Promise<SourceFolder> {
  if (!/^hf:/i.test(path)) return openNodeFolder(path);
  const { hub, files } = await resolveHub({ ...parseHubName(path), ...hubSettings() }, NODE_ACCESS, signal);
  return new HubFolder(hub, files, NODE_ACCESS);
}

/** Opens the checkpoint that MODEL names: config and headers only. `architecture`: a descriptor in place of the registry's row. */
export async function openModel(path: string, signal: AbortSignal, architecture?: Architecture): Promise<Checkpoint> {
  return openCheckpoint(await openFolder(path, signal), {
    signal,
    ...(architecture === undefined ? {} : { architecture }),
  });
}
