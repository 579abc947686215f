import { get, set } from 'idb-keyval';
import { createStore } from 'zustand/vanilla';
import type { SourceSpec } from '../core/protocol/source-spec.ts';

/**
 * What was opened before, so that it can be opened again with one click. A folder is kept as the browser's handle, which
 * gives no access before the person allows it again; a repository by its name alone, never with its token.
 */
export type RememberedSource =
  | {
      readonly kind: 'directory';
      readonly label: string;
      readonly time: number;
      readonly handle: FileSystemDirectoryHandle;
    }
  | { readonly kind: 'hub'; readonly label: string; readonly time: number; readonly endpoint: string };

interface RememberedState {
  /** Newest first. */
  readonly sources: readonly RememberedSource[];
}

export const rememberedStore = createStore<RememberedState>(() => ({ sources: [] }));

export const MOST_REMEMBERED = 5;

const KEY = 'reap-studio.opened-before';

/** Reads what earlier visits left. Where the browser stores nothing, nothing was opened before. */
export async function loadRemembered(): Promise<void> {
  try {
    rememberedStore.setState({ sources: await stored() });
  } catch {
    // See above.
  }
}

/** Puts a source at the head of the list; what is neither a folder with a handle nor a repository is not remembered. */
export async function rememberSource(spec: SourceSpec): Promise<void> {
  const source = rememberable(spec, Date.now());
  if (source !== null) await change(async (sources) => [source, ...(await without(sources, source))]);
}

export async function forgetSource(source: RememberedSource): Promise<void> {
  await change((sources) => without(sources, source));
}

/** What is kept of a source, or null. */
function rememberable(spec: SourceSpec, time: number): RememberedSource | null {
  const { kind, label } = spec;
  if (kind === 'directory') return { kind, label, time, handle: spec.handle };
  if (kind === 'hub') return { kind, label, time, endpoint: spec.hub.endpoint };
  return null;
}

/** Another tab may have changed the list since this one read it. */
async function change(
  edit: (sources: readonly RememberedSource[]) => Promise<readonly RememberedSource[]>,
): Promise<void> {
  try {
    const sources = (await edit(await stored())).slice(0, MOST_REMEMBERED);
    // Shown once it is kept. Where storage is full, the list of the next visit is older.
    await set(KEY, sources).catch(() => undefined);
    rememberedStore.setState({ sources });
  } catch {
    // The browser stores nothing.
  }
}

async function stored(): Promise<readonly RememberedSource[]> {
  return (await get<readonly RememberedSource[]>(KEY)) ?? [];
}

async function without(
  sources: readonly RememberedSource[],
  gone: RememberedSource,
): Promise<readonly RememberedSource[]> {
  const same = await Promise.all(sources.map((source) => isSame(source, gone)));
  return sources.filter((_source, index) => same[index] !== true);
}

async function isSame(a: RememberedSource, b: RememberedSource): Promise<boolean> {
  if (a.kind === 'directory') return b.kind === 'directory' && (await a.handle.isSameEntry(b.handle));
  return b.kind === 'hub' && a.label === b.label && a.endpoint === b.endpoint;
}
