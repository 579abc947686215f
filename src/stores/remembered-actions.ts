import { StudioError } from '../core/base/errors.ts';
import type { HubRepo } from '../core/hub/hub-repo.ts';
import type { ChosenFile, SourceSpec } from '../core/protocol/source-spec.ts';
import { changeSource, refuse } from './checkpoint-actions.ts';
import { checkpointStore } from './checkpoint-store.ts';
import { askForRepo } from './hub-store.ts';
import type { RememberedSource } from './remembered-store.ts';

/** Opens what was opened before. Must be called by a press of a button: the browser asks for a folder only then. */
export async function openRemembered(source: RememberedSource): Promise<void> {
  if (source.kind === 'hub') {
    askForRepo({ name: source.label, endpoint: source.endpoint, submit: true });
    return;
  }
  try {
    changeSource(directorySource(source.handle, await askToRead(source.handle)));
  } catch (error) {
    refuse(error);
  }
}

/**
 * Opens the chosen source anew, as it is now: a repository at the commit that its revision has come to. Files without a
 * folder cannot be: a new choice of them is needed.
 */
export async function openAgain(): Promise<void> {
  const spec = checkpointStore.getState().source?.spec;
  if (spec === undefined) return;
  try {
    if (spec.kind === 'hub') await findAgain(spec.label, spec.hub);
    else changeSource(spec.kind === 'directory' ? { ...spec, chosen: factsOf(await askToRead(spec.handle)) } : spec);
  } catch (error) {
    refuse(error);
  }
}

async function findAgain(name: string, { endpoint, token = '' }: HubRepo): Promise<void> {
  const { openRepo } = await import('./hub-actions.ts');
  await openRepo({ name, endpoint, token }, new AbortController().signal);
}

/** A folder as it is now: what opens it later is refused when a file changed since. */
export function directorySource(handle: FileSystemDirectoryHandle, files: readonly File[]): SourceSpec {
  return { kind: 'directory', label: handle.name, handle, chosen: factsOf(files) };
}

function factsOf(files: readonly File[]): readonly ChosenFile[] {
  return files.map(({ name, size, lastModified }) => ({ name, size, lastModified }));
}

/**
 * The files of a kept folder, once it may be read.
 * @throws StudioError source/not-permitted, source/folder-gone
 */
async function askToRead(handle: FileSystemDirectoryHandle): Promise<readonly File[]> {
  if (!(await isPermitted(handle))) {
    throw new StudioError(
      'source',
      'not-permitted',
      `The browser was not allowed to read the folder "${handle.name}".`,
      {
        nextStep: 'Press its button again and allow it, or open the folder anew.',
        details: { folder: handle.name },
      },
    );
  }
  try {
    const files: File[] = [];
    for await (const entry of handle.values()) if (entry.kind === 'file') files.push(await entry.getFile());
    return files;
  } catch (cause) {
    throw new StudioError('source', 'folder-gone', `The folder "${handle.name}" is no longer where it was.`, {
      nextStep: 'Open it from where it is now. If its disk is not connected, connect it and try again.',
      details: { folder: handle.name },
      cause,
    });
  }
}

async function isPermitted(handle: FileSystemDirectoryHandle): Promise<boolean> {
  try {
    const mode = { mode: 'read' } as const;
    return (await handle.queryPermission(mode)) === 'granted' || (await handle.requestPermission(mode)) === 'granted';
  } catch {
    // Not by a press of a button, or a handle of another kind of folder.
    return false;
  }
}
