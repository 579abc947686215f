import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type RandomShape, writeHalvingPlan, writeRandomCheckpoint } from './random-checkpoint.ts';

/** Some 25 MB, of which half is kept, in a dozen files: what takes time is closing, checking and noting each of them. */
const SHAPE: RandomShape = { layers: 4, experts: 8, hidden: 256, inner: 512 };
const SHARD_SIZE = '1MB';

const KILLS_IN_A_ROW = 4;

export interface KillRun {
  readonly kills: number;
  /** Exports that came to their end between the kills, each with the same bytes. */
  readonly exports: number;
  /** Kills that met the folder in that state: what the journal then said was finished. */
  readonly states: ReadonlyMap<string, number>;
  readonly seconds: number;
}

interface Ended {
  readonly code: number | null;
  readonly err: string;
}

/** Runs the command line and kills it after `killAfterMs`, where it still runs then. */
function run(command: readonly string[], killAfterMs?: number): Promise<Ended> {
  const child = spawn(process.execPath, [...command], { stdio: ['ignore', 'ignore', 'pipe'] });
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => {
      clearTimeout(timer);
      done({ code, err });
    });
  });
}

async function hashes(folder: string): Promise<string> {
  const lines: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const bytes = await readFile(join(folder, name));
    lines.push(`${name} ${bytes.byteLength} ${createHash('sha256').update(bytes).digest('hex')}`);
  }
  return lines.join('\n');
}

/** How far an interrupted export had come, by what lies in its folder. */
async function stateOf(out: string, complete: number): Promise<string> {
  const names = existsSync(out) ? await readdir(out) : [];
  const records = names.filter((name) => /^reap-studio\.(lock|journal)/.test(name));
  const journals = records.filter((name) => name.includes('journal'));
  if (names.includes('config.json') && names.length - records.length < complete)
    throw new Error(`an unfinished folder has a config.json: ${names.join(', ')}`);
  if (journals.length === 0) return names.length > records.length ? 'complete' : 'nothing yet';
  let finished = 0;
  for (const name of journals) {
    const text = await readFile(join(out, name), 'utf8');
    finished = Math.max(finished, text.split('\n').length - 2);
  }
  return `${Math.max(0, finished)} files finished`;
}

/**
 * Exports a random checkpoint over and over with the command line at `cli`, kills it at random moments, resumes, and holds
 * every export that comes to its end against one that was never interrupted.
 * @throws Error at the first difference, and when a resumed run refuses.
 */
export async function killExports(cli: string, kills: number, shape: RandomShape = SHAPE): Promise<KillRun> {
  const room = await mkdtemp(join(tmpdir(), 'reap-studio-kill-'));
  const started = performance.now();
  const states = new Map<string, number>();
  try {
    const [model, plan, whole, out] = ['model', 'plan.json', 'whole', 'out'].map((name) => join(room, name)) as [
      string,
      string,
      string,
      string,
    ];
    await writeRandomCheckpoint(model, shape);
    await writeHalvingPlan(model, plan);
    const command = (target: string): string[] => [
      cli,
      'export',
      model,
      '--plan',
      plan,
      '--out',
      target,
      '--shard-size',
      SHARD_SIZE,
      '--resume',
    ];
    const startedWhole = performance.now();
    const undisturbed = await run(command(whole));
    if (undisturbed.code !== 0) throw new Error(undisturbed.err);
    const duration = performance.now() - startedWhole;
    const expected = await hashes(whole);
    const complete = expected.split('\n').length;
    let done = 0;
    let exports = 0;
    while (done < kills) {
      // Some kills in a row, then an undisturbed end: an export that is only ever resumed has its first shards hit once.
      for (let inARow = 0; inARow < KILLS_IN_A_ROW && done < kills; inARow++) {
        const { code, err } = await run(command(out), Math.random() * duration);
        if (code === 0) break;
        if (code !== null) throw new Error(`after ${done} kills the export refused to go on: ${err}`);
        done++;
        const state = await stateOf(out, complete);
        states.set(state, (states.get(state) ?? 0) + 1);
      }
      const { code, err } = await run(command(out));
      if (code !== 0) throw new Error(`after ${done} kills the export refused to go on: ${err}`);
      const found = await hashes(out);
      if (found !== expected) throw new Error(`other bytes than undisturbed:\n${found}\ninstead of\n${expected}`);
      exports++;
      await rm(out, { recursive: true });
    }
    return { kills: done, exports, states, seconds: (performance.now() - started) / 1000 };
  } finally {
    await rm(room, { recursive: true, force: true });
  }
}

/** `tsx tools/faults/kill-export.ts [--kills 100] [--cli dist/cli/reap-studio.mjs]` */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { kills: { type: 'string' }, cli: { type: 'string' } } });
  const run = await killExports(resolve(values.cli ?? 'dist/cli/reap-studio.mjs'), Number(values.kills ?? 100));
  console.log(
    `${run.kills} kills over ${run.exports} exports in ${run.seconds.toFixed(0)} s: every one ended with the same bytes`,
  );
  for (const [state, count] of [...run.states].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })))
    console.log(`  ${String(count).padStart(3)} × ${state}`);
}

if (process.argv[1] === import.meta.filename) await main();
