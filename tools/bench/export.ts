import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { StudioError } from '../../src/core/base/errors.ts';
import { formatBytes } from '../../src/core/export/format-bytes.ts';
import { type RandomShape, writeHalvingPlan, writeRandomCheckpoint } from '../faults/random-checkpoint.ts';

/** Experts of Qwen3-30B-A3B's width; 2.5 GB in four shards, of which half is kept. */
const SHAPE: RandomShape = { layers: 4, experts: 64, hidden: 2048, inner: 768 };
const NEEDED_BYTES = 6e9;
const RUNS = 3;

interface Folders {
  readonly model: string;
  readonly plan: string;
  /** An export, for cp to copy: the very bytes that are kept. */
  readonly kept: string;
  readonly out: string;
}

async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).map((name) => join(folder, name));
}

/** Takes files out of the system's cache, as those of a model larger than the memory are. @returns false where dd cannot. */
async function forget(folder: string): Promise<boolean> {
  try {
    for (const file of await filesIn(folder))
      execFileSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function seconds(act: () => void): number {
  const started = performance.now();
  act();
  return (performance.now() - started) / 1000;
}

function runExport(cli: string, { model, plan, out }: Folders): void {
  execFileSync(process.execPath, [cli, 'export', model, '--plan', plan, '--out', out], { stdio: 'ignore' });
}

/** Copies the kept files one by one and waits until the disk has them, as the export does. */
async function timeCopy({ kept, out }: Folders): Promise<number> {
  const files = await filesIn(kept);
  await mkdir(out);
  const time = seconds(() => {
    execFileSync('cp', [...files, out]);
    execFileSync('sync', [...files.map((file) => join(out, file.slice(kept.length + 1))), out]);
  });
  await rm(out, { recursive: true });
  return time;
}

async function timeExport(cli: string, folders: Folders): Promise<number> {
  const time = seconds(() => runExport(cli, folders));
  await rm(folders.out, { recursive: true });
  return time;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

async function compare(label: string, cli: string, folders: Folders, bytes: number, cold: boolean): Promise<void> {
  const [copies, exports]: [number[], number[]] = [[], []];
  for (let run = 0; run < RUNS; run++) {
    if (cold) await forget(folders.kept);
    copies.push(await timeCopy(folders));
    if (cold) await forget(folders.model);
    exports.push(await timeExport(cli, folders));
  }
  const speed = (time: number): string => `${(bytes / time / 1e6).toFixed(0).padStart(5)} MB/s`;
  const [copy, made] = [median(copies), median(exports)];
  console.log(
    `  ${label.padEnd(24)} cp + sync ${speed(copy)}   export ${speed(made)}   ${((copy / made) * 100).toFixed(0).padStart(3)} %`,
  );
}

/** sha256 of one core, which every byte passes twice: for its file and for its tensor. */
function hashSpeed(): string {
  const block = new Uint8Array(64 * 2 ** 20);
  const time = seconds(() => void createHash('sha256').update(block).digest());
  return `${(block.byteLength / time / 1e6).toFixed(0)} MB/s`;
}

/** Exports half of a random checkpoint with the built command line, in turns with cp of the same bytes. */
export async function run(cli = resolve('dist/cli/reap-studio.mjs')): Promise<void> {
  if (!existsSync(cli))
    throw new StudioError('usage', 'not-built', `There is no "${cli}".`, { nextStep: 'Run npm run build first.' });
  const room = await mkdtemp(join(tmpdir(), 'reap-studio-bench-'));
  try {
    const { bavail, bsize } = await statfs(room);
    if (bavail * bsize < NEEDED_BYTES)
      throw new StudioError('usage', 'no-space', `"${room}" has ${formatBytes(bavail * bsize)} free.`, {
        nextStep: `The bench needs ${formatBytes(NEEDED_BYTES)}: set TMPDIR to a folder on another disk.`,
      });
    const at = (name: string): string => join(room, name);
    const folders: Folders = { model: at('model'), plan: at('plan.json'), kept: at('kept'), out: at('out') };
    const total = await writeRandomCheckpoint(folders.model, SHAPE);
    await writeHalvingPlan(folders.model, folders.plan);
    runExport(cli, { ...folders, out: folders.kept });
    let bytes = 0;
    for (const file of await filesIn(folders.kept)) bytes += (await stat(file)).size;
    console.log(
      `  ${formatBytes(bytes)} kept of ${formatBytes(total)} in ${SHAPE.layers} shards, medians of ${RUNS} runs in turns; sha256 ${hashSpeed()} a core`,
    );
    await compare('source in memory:', cli, folders, bytes, false);
    if (await forget(folders.model)) await compare('source not in memory:', cli, folders, bytes, true);
  } finally {
    await rm(room, { recursive: true, force: true });
  }
}
