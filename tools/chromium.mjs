import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ROOT } from './setup.mjs';

const SYSTEM_CHROMIUM = '/usr/bin/chromium';

/** Path of the Chromium to test with: CHROMIUM_PATH, else the system's; undefined means Playwright's own. */
export function findChromium() {
  const named = process.env['CHROMIUM_PATH'];
  if (named !== undefined && named !== '') {
    if (existsSync(named)) return named;
    throw new Error(`CHROMIUM_PATH is "${named}", and there is no such file. Correct it, or unset it.`);
  }
  return existsSync(SYSTEM_CHROMIUM) ? SYSTEM_CHROMIUM : undefined;
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
function succeeds(command, args, env = process.env) {
  return spawnSync(command, args, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}

/** What to put before a command that needs root: nothing for root, `sudo -n` where no password is asked, else undefined. */
function asRoot() {
  if (process.getuid?.() === 0) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined;
}

function isDebian() {
  return existsSync('/etc/os-release') && /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'));
}

/** @param {string[]} prefix */
function installDebianPackage(prefix) {
  console.log('Installing Chromium (Debian package)…');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  /** @param {string[]} args */
  const apt = (args) => {
    const [command = 'apt-get', ...rest] = [...prefix, 'apt-get', ...args];
    return succeeds(command, rest, env);
  };
  // Only the install decides: a stale or partly unreachable package list often has the package all the same.
  apt(['update']);
  return apt(['install', '--yes', '--no-install-recommends', 'chromium']) && existsSync(SYSTEM_CHROMIUM);
}

/** Makes sure that a Chromium is there: the Debian package where it may be installed, else the one that Playwright fetches. */
export async function ensureChromium() {
  if (findChromium() !== undefined) return;
  const prefix = isDebian() ? asRoot() : undefined;
  if (prefix !== undefined && installDebianPackage(prefix)) return;
  const { chromium } = await import('@playwright/test');
  if (existsSync(chromium.executablePath())) return;
  const cli = join(createRequire(import.meta.url).resolve('@playwright/test/package.json'), '..', 'cli.js');
  console.log("Installing Chromium (Playwright's own)…");
  // With root rights Playwright can install the system libraries that Chromium needs as well.
  const extra = process.platform === 'linux' && asRoot() !== undefined ? ['--with-deps'] : [];
  if (succeeds(process.execPath, [cli, 'install', ...extra, 'chromium'])) return;
  if (extra.length > 0 && succeeds(process.execPath, [cli, 'install', 'chromium'])) return;
  throw new Error('No Chromium could be installed. Install one by hand and set CHROMIUM_PATH to its executable.');
}
