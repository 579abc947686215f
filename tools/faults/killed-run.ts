import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';

/** When a run is killed: some milliseconds after its start, or as soon as the journal's folder has changed so often. */
export type KillMoment =
  | { readonly kind: 'time'; readonly milliseconds: number }
  | { readonly kind: 'journal-change'; readonly changes: number };

/** What a kill left behind. */
export interface Remains {
  readonly killed: boolean;
  /** Files of the journal that were being written. */
  readonly unfinished: readonly string[];
  /** Layer that the journal goes on with; 0 when it holds nothing. */
  readonly nextLayer: number;
  readonly exitCode: number | null;
  readonly stderr: string;
}

/** The folder of the one run that `resume` holds. */
function runFolder(resume: string): string | undefined {
  const [name] = existsSync(resume) ? readdirSync(resume) : [];
  return name === undefined ? undefined : join(resume, name);
}

function remains(resume: string): Pick<Remains, 'unfinished' | 'nextLayer'> {
  const folder = runFolder(resume);
  if (folder === undefined || !existsSync(folder)) return { unfinished: [], nextLayer: 0 };
  const state = join(folder, 'state.json');
  return {
    unfinished: readdirSync(folder).filter((name) => name.endsWith('.part')),
    nextLayer: existsSync(state) ? JSON.parse(readFileSync(state, 'utf8')).nextLayer : 0,
  };
}

/**
 * Runs a command line that calibrates with its journal in `resume`, and kills it with SIGKILL at `moment`; without one it
 * runs to its end.
 * @param command Program and arguments.
 */
export async function runAndKill(command: readonly string[], resume: string, moment?: KillMoment): Promise<Remains> {
  await mkdir(resume, { recursive: true });
  const [program = process.execPath, ...argv] = command;
  const child = spawn(program, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
  const kill = (): void => void child.kill('SIGKILL');
  let timer: NodeJS.Timeout | undefined;
  let changes = 0;
  const watcher =
    moment?.kind === 'journal-change'
      ? watch(resume, { recursive: true }, () => {
          changes += 1;
          if (changes >= moment.changes) kill();
        })
      : undefined;
  if (moment?.kind === 'time') timer = setTimeout(kill, moment.milliseconds);
  const exitCode = await exited;
  clearTimeout(timer);
  watcher?.close();
  return { killed: exitCode === null, exitCode, stderr: Buffer.concat(said).toString(), ...remains(resume) };
}
