import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withLock } from './lock-file.ts';

const LOCK = 'reap-studio.lock';
let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'reap-studio-lock-'));
});
afterAll(() => rm(root, { recursive: true }));

const newFolder = (): Promise<string> => mkdtemp(join(root, 'folder-'));
const lockText = (changes: Record<string, unknown>): string =>
  `${JSON.stringify({ format: 'reap-studio/lock', version: 1, host: hostname(), pid: process.pid, started: null, ...changes })}\n`;

/** The number of a process that has ended. */
async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.once('exit', resolve));
  return child.pid ?? 0;
}

async function taken(folder: string): Promise<boolean> {
  return withLock(folder, async () => (await readdir(folder)).includes(LOCK));
}

describe('withLock', () => {
  it('holds a lock during the job only, also when that fails', async () => {
    const folder = await newFolder();
    expect(await taken(folder)).toBe(true);
    expect(await readdir(folder)).toEqual([]);
    await expect(withLock(folder, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await readdir(folder)).toEqual([]);
  });

  it('lets one in of many that come at once', async () => {
    const folder = await newFolder();
    let inside = 0;
    let most = 0;
    const job = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 30));
      inside--;
    };
    const ended = await Promise.allSettled(Array.from({ length: 8 }, () => withLock(folder, job)));
    expect(ended.filter(({ status }) => status === 'fulfilled').length).toBe(1);
    expect(most).toBe(1);
  });

  it('lets one in of many that take over the lock of a process that has ended', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, LOCK), lockText({ pid: await endedProcess() }));
    // Locks of one process have one text, so a second process stands for the other one.
    const other = lockText({ pid: 1 });
    const late = new Promise<void>((resolve) => {
      setTimeout(() => void writeFile(join(folder, LOCK), other).then(resolve), 50);
    });
    await expect(taken(folder)).rejects.toMatchObject({ code: 'locked' });
    await late;
    expect(await readFile(join(folder, LOCK), 'utf8')).toBe(other);
  });

  const stale: [string, () => Promise<string>][] = [
    ['a process that has ended', async () => lockText({ pid: await endedProcess() })],
    [
      'a process that has ended, with the rest of a longer text',
      async () => `${lockText({ pid: await endedProcess() })}}\n`,
    ],
    ['an earlier process of the same id', async () => lockText({ started: 'another boot 7' })],
    ['a process that was killed before it had written it', async () => ''],
    ['a process that was killed while it wrote it', async () => lockText({}).slice(0, 40)],
  ];
  it.skipIf(process.platform !== 'linux').each(stale)('takes over the lock of %s', async (_, text) => {
    const folder = await newFolder();
    await writeFile(join(folder, LOCK), await text());
    expect(await taken(folder)).toBe(true);
    expect(await readdir(folder)).toEqual([]);
  });

  const held: [string, string, RegExp][] = [
    ['a running process', lockText({}), new RegExp(`process ${process.pid} writes`)],
    ['another computer', lockText({ host: 'elsewhere' }), /computer "elsewhere"/],
    ['a newer version', lockText({ version: 2 }), /no lock that this version/],
    ['someone else', 'my notes\n', /no lock that this version/],
    ['a prototype', '{"format":"reap-studio/lock","__proto__":{}}\n', /no lock that this version/],
  ];
  it.each(held)('refuses the lock of %s, says which file to delete, and leaves it', async (_, text, sentence) => {
    const folder = await newFolder();
    await writeFile(join(folder, LOCK), text);
    const refusal = expect(taken(folder)).rejects;
    await refusal.toMatchObject({ family: 'export', code: 'locked' });
    await expect(taken(folder)).rejects.toThrow(sentence);
    await expect(taken(folder)).rejects.toMatchObject({ nextStep: expect.stringContaining(join(folder, LOCK)) });
    expect(await readFile(join(folder, LOCK), 'utf8')).toBe(text);
  });

  it('says so where no lock can be written', async () => {
    await expect(taken(join(root, 'gone'))).rejects.toMatchObject({ family: 'export', code: 'write-failed' });
  });
});
