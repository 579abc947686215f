import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const ROOT = new URL('..', import.meta.url).pathname;

/** Runs the command line as it is installed: the built one. Rejects when it exits with another code than 0. */
export async function reapStudio(...argv: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['dist/cli/reap-studio.mjs', ...argv], { cwd: ROOT });
  return stdout;
}
