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

/** The lock of the run that this worker computed last; it is held until another run takes its place. */
let held: { readonly runKey: string; readonly release: () => void } | undefined;

/** Takes the run's lock; false when another tab holds it. */
function lockRun(runKey: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(`calibration ${runKey}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        if (lock === null) return;
        return new Promise<void>((release) => {
          held = { runKey, release };
        });
      })
      .catch(reject);
  });
}

/** The store of one run in the origin's private file system, or undefined when another tab has it or there is none. */
export async function openRunStore(runKey: string): Promise<JournalStore | undefined> {
  try {
    if (held?.runKey !== runKey) {
      held?.release();
      held = undefined;
      if (!(await lockRun(runKey))) return undefined;
    }
    await removeOtherRuns(runKey);
    return await OpfsStore.open(['calibration', runKey]);
  } catch {
    return undefined;
  }
}
