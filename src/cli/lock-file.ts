import { type FileHandle, open, readFile, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod/mini';
import { StudioError } from '../core/base/errors.ts';
import { LOCK_FILE } from '../core/export/export-files.ts';
import { writeFailure } from '../core/export/write-failure.ts';
import { nodeErrorCode } from './node-file-source.ts';

const FORMAT = 'reap-studio/lock';
const MAX_LOCK_BYTES = 4096;
/** How long a lock that another process has just made may lack its text, and another one that takes it over may show. */
const SETTLE_MS = 150;

const lockSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(1),
  host: z.string(),
  pid: z.int().check(z.positive()),
  /** When the process started, as its system counts; null where it does not say. Tells it from a later one of that id. */
  started: z.nullable(z.string()),
});
type Lock = z.infer<typeof lockSchema>;

/** Boot and start of a process, on Linux; undefined for a process that is not there, null where the system does not say. */
async function startOf(pid: number): Promise<string | null | undefined> {
  if (process.platform === 'linux') {
    try {
      const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
      // The name of the program stands in brackets and may hold spaces; the start is the 20th field behind it.
      const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
      return `${boot} ${start ?? ''}`;
    } catch (error) {
      if (nodeErrorCode(error) === 'ENOENT' || nodeErrorCode(error) === 'ESRCH') return undefined;
      return null;
    }
  }
  try {
    process.kill(pid, 0);
    return null;
  } catch (error) {
    return nodeErrorCode(error) === 'ESRCH' ? undefined : null;
  }
}

async function isRunning({ pid, started }: Lock): Promise<boolean> {
  const found = await startOf(pid);
  if (found === undefined) return false;
  return found === null || started === null || found === started;
}

function refuse(folder: string, why: string, nextStep: string): StudioError {
  return new StudioError('export', 'locked', `"${LOCK_FILE}" in "${basename(folder)}" ${why}.`, {
    nextStep,
    details: { folder, file: LOCK_FILE },
  });
}

/** Throws when the lock of that text is, or may be, held; undefined is one whose maker died before it had written it. */
async function refuseHeld(folder: string, text: string): Promise<void> {
  const path = join(folder, LOCK_FILE);
  const opening = `{"format":"${FORMAT}"`;
  if (opening.startsWith(text) || (text.startsWith(opening) && !text.includes('\n'))) return;
  let json: unknown;
  try {
    // What may follow the line is left of a longer one that was written over.
    json = JSON.parse(text.slice(0, text.indexOf('\n') + 1));
  } catch {
    json = undefined;
  }
  const lock = lockSchema.safeParse(json);
  if (!lock.success) {
    throw refuse(
      folder,
      'is no lock that this version of the studio knows',
      `If no reap-studio writes into this folder, delete "${path}" and try again; otherwise choose another folder.`,
    );
  }
  const { host, pid } = lock.data;
  if (host !== hostname()) {
    throw refuse(
      folder,
      `says that process ${pid} of the computer "${host}" writes into this folder`,
      `Wait until it has ended. If it does not run any more, delete "${path}" and try again.`,
    );
  }
  if (await isRunning(lock.data)) {
    throw refuse(
      folder,
      `says that process ${pid} writes into this folder`,
      `Wait until it has ended, or choose another folder. If process ${pid} is not reap-studio, delete "${path}" and try again.`,
    );
  }
}

async function readLock(path: string): Promise<string | undefined> {
  try {
    const handle = await open(path, 'r');
    try {
      const { bytesRead, buffer } = await handle.read(new Uint8Array(MAX_LOCK_BYTES), 0, MAX_LOCK_BYTES, 0);
      return new TextDecoder().decode(buffer.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (nodeErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function overwrite(handle: FileHandle, text: string): Promise<void> {
  try {
    const bytes = new TextEncoder().encode(text);
    await handle.write(bytes, 0, bytes.byteLength, 0);
    await handle.truncate(bytes.byteLength);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the lock. @returns false when there is one already. */
async function make(path: string, text: string): Promise<boolean> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'wx');
  } catch (error) {
    if (nodeErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
  await overwrite(handle, text);
  return true;
}

async function acquire(folder: string, text: string): Promise<void> {
  const path = join(folder, LOCK_FILE);
  if (await make(path, text)) return;
  let found = await readLock(path);
  if (found !== undefined && !found.includes('\n')) {
    await delay(SETTLE_MS);
    found = await readLock(path);
  }
  if (found === undefined) {
    if (await make(path, text)) return;
    found = (await readLock(path)) ?? '';
  }
  await refuseHeld(folder, found);
  // Written over, not replaced, so that of two who take the same lock over each sees what the last one wrote.
  await overwrite(await open(path, 'r+'), text);
  await delay(SETTLE_MS);
  if ((await readLock(path)) !== text) {
    throw refuse(
      folder,
      'was taken by another reap-studio at the same moment',
      'Wait until it has ended, or choose another folder.',
    );
  }
}

/**
 * Runs `job` as the only process that writes into `folder`, which must be there: a lock file in it names this process and
 * its computer, and is removed at the end. A lock whose process is gone is taken over.
 * @throws StudioError family `export`: `locked`, or as write-failure.ts says when the lock cannot be written; what `job`
 * throws.
 */
export async function withLock<T>(folder: string, job: () => Promise<T>): Promise<T> {
  const absolute = resolve(folder);
  const started = (await startOf(process.pid)) ?? null;
  const lock: Lock = { format: FORMAT, version: 1, host: hostname(), pid: process.pid, started };
  const text = `${JSON.stringify(lock)}\n`;
  const path = join(absolute, LOCK_FILE);
  try {
    await acquire(absolute, text);
  } catch (error) {
    throw writeFailure(error, LOCK_FILE, 0);
  }
  try {
    return await job();
  } finally {
    // One that is no longer ours was deleted by a person and made anew by another process.
    if ((await readLock(path).catch(() => undefined)) === text) await unlink(path).catch(() => undefined);
  }
}
