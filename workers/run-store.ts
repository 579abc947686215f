import type { JournalStore } from '../src/core/calibration/journal.ts';
import { OpfsStore } from './opfs-store.ts';

/** Old runs' hidden states would fill the disk: only the newest run is kept. */
async function removeOtherRuns(runKey: string): Promise<void> {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle('calibration', { create: true });
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  for (const name of names) {
    if (name === runKey) continue;
    await navigator.locks.request(`calibration ${name}`, { ifAvailable: true }, async (lock) => {
      if (lock !== null) await folder.removeEntry(name, { recursive: true });
    });
  }
}

/** Takes the run's lock until this worker ends; false when another tab holds it. */
function lockRun(runKey: string): Promise<boolean> {
  return new Promise((resolve) => {
    void navigator.locks.request(`calibration ${runKey}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise(() => undefined);
    });
  });
}

const held = new Set<string>();

/** The store of one run in the origin's private file system, or undefined when another tab has it or there is none. */
export async function openRunStore(runKey: string): Promise<JournalStore | undefined> {
  try {
    if (!held.has(runKey) && !(await lockRun(runKey))) return undefined;
    held.add(runKey);
    await removeOtherRuns(runKey);
    return await OpfsStore.open(['calibration', runKey]);
  } catch {
    return undefined;
  }
}
