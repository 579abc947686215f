import { execFileSync } from 'node:child_process';
import { appendFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliDesk, cli, openDesk } from './cli-desk.fixture.ts';

let desk: CliDesk;
let plan = '';
beforeAll(async () => {
  desk = await openDesk();
  plan = desk.at('plan.json');
  await cli(['plan', '--stats', desk.at('a.json'), '--experts', '2', '--out', plan]);
});
afterAll(() => desk.close());

const exportTo = (name: string, ...more: string[]) =>
  cli(['export', desk.model, '--plan', plan, '--out', desk.at(name), '--json', ...more]);
const codeOf = (out: string): unknown => JSON.parse(out).error?.code;

describe('export', () => {
  it('splits shards by --shard-size, and verify finds them right', async () => {
    expect((await exportTo('small', '--shard-size', '2kB')).code).toBe(0);
    const shards = (await readdir(desk.at('small'))).filter((name) => name.endsWith('.safetensors'));
    expect(shards.length).toBeGreaterThan(3);
    for (const name of shards) expect((await readFile(desk.at(`small/${name}`))).byteLength).toBeLessThanOrEqual(2000);
    const { code, out } = await cli(['verify', desk.at('small'), '--source', desk.model]);
    expect([code, out]).toEqual([0, expect.stringContaining('right: ')]);
    for (const size of ['0', 'x', '-5GB']) expect((await exportTo('none', `--shard-size=${size}`)).code).toBe(2);
  });

  it('is found complete by --resume, and refused without', async () => {
    expect((await exportTo('twice')).code).toBe(0);
    expect(codeOf((await exportTo('twice')).out)).toBe('target-not-empty');
    const again = await exportTo('twice', '--resume');
    expect([again.code, JSON.parse(again.out).resumedFiles]).toEqual([0, (await readdir(desk.at('twice'))).length]);
  });

  it('waits for no one: a folder that another process or computer writes into is refused', async () => {
    const lock = desk.at('locked/reap-studio.lock');
    const text = (changes: object) =>
      `${JSON.stringify({ format: 'reap-studio/lock', version: 1, host: hostname(), pid: process.pid, started: null, ...changes })}\n`;
    await mkdir(desk.at('locked'));
    await writeFile(lock, text({}));
    const here = await exportTo('locked');
    expect([codeOf(here.out), here.err.includes(`delete "${lock}"`)]).toEqual(['locked', true]);
    await writeFile(lock, text({ host: 'elsewhere' }));
    expect((await exportTo('locked', '--resume')).err).toContain('the computer "elsewhere"');
    await rm(lock);
    expect((await exportTo('locked')).code).toBe(0);
    expect(await readdir(desk.at('locked'))).not.toContain('reap-studio.lock');
  });

  it('says so when the source is written to while it is exported', async () => {
    const model = desk.at('growing');
    await cp(desk.model, model, { recursive: true });
    const [first] = (await readdir(model)).filter((name) => name.endsWith('.safetensors'));
    const shard = desk.at(`growing/${first ?? ''}`);
    const run = cli(['export', model, '--plan', plan, '--out', desk.at('of-growing'), '--json']);
    const changes = (async () => {
      while (!(await readdir(desk.at('of-growing')).catch(() => [])).some((name) => name.includes('journal')));
      await appendFile(shard, 'x');
    })();
    const { code, out } = await run;
    await changes;
    expect([code, JSON.parse(out).error?.family, codeOf(out)]).toEqual([1, 'source', 'changed']);
  });
});

describe('verify', () => {
  it('needs a source for --source-hashes, and published hashes', async () => {
    await exportTo('plain');
    expect((await cli(['verify', desk.at('plain'), '--source-hashes'])).code).toBe(2);
    const local = await cli(['verify', desk.at('plain'), '--source', desk.model, '--source-hashes', '--json']);
    expect([local.code, codeOf(local.out)]).toEqual([1, 'no-published-hashes']);
  });

  it('calls a folder with a lock in it unfinished', async () => {
    await exportTo('half');
    await writeFile(desk.at('half/reap-studio.lock'), 'x');
    const { code, out } = await cli(['verify', desk.at('half')]);
    expect([code, out]).toEqual([1, expect.stringContaining('unfinished: ')]);
  });
});

/** A file system of its own with 64 kB, where this user may mount one. */
function mountSmall(path: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('a disk that is full', () => {
  it('stops the export with what is missing, refuses to go on elsewhere, and goes on once there is room', async (context) => {
    const disk = desk.at('disk');
    await mkdir(disk);
    if (!mountSmall(disk)) context.skip('no file system can be mounted here');
    try {
      await writeFile(desk.at('disk/ballast'), new Uint8Array(48_000));
      const full = await exportTo('disk/out');
      expect([full.code, codeOf(full.out)]).toEqual([1, 'disk-full']);
      expect(JSON.parse(full.out).error.details.missingBytes).toBeGreaterThan(1000);
      expect(await readdir(desk.at('disk/out'))).not.toContain('config.json');
      await cp(desk.at('disk/out'), desk.at('elsewhere'), { recursive: true });
      await writeFile(desk.at('elsewhere/notes.txt'), 'mine');
      expect(codeOf((await exportTo('elsewhere', '--resume')).out)).toBe('target-not-empty');
      await rm(desk.at('disk/ballast'));
      expect((await exportTo('disk/out', '--resume')).code).toBe(0);
      expect((await cli(['verify', desk.at('disk/out'), '--source', desk.model])).code).toBe(0);
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});
