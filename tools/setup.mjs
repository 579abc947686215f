import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository, without a slash at its end. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

/** Where reports and type information of a run are kept: never in the tree. */
export const CACHE = join(ROOT, 'node_modules', '.cache', 'reap-studio');

/** @typedef {{ version?: string, optional?: boolean, peer?: boolean, devOptional?: boolean, link?: boolean }} LockedPackage */

/**
 * @param {string} path of a lockfile
 * @returns {Map<string, LockedPackage>} package by its folder
 */
function readLockfile(path) {
  const lockfile = JSON.parse(readFileSync(path, 'utf8'));
  return new Map(Object.entries(lockfile.packages ?? {}));
}

/**
 * Whether what stands in node_modules is what the lockfile names. Versions are compared, not times: a checkout touches files.
 * @param {string} root
 */
export function dependenciesAreInstalled(root) {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = readLockfile(record);
  for (const [folder, locked] of readLockfile(join(root, 'package-lock.json'))) {
    if (folder === '') continue;
    const present = installed.get(folder);
    // A binary for another platform is locked and rightly absent.
    if (present === undefined && (locked.optional === true || locked.devOptional === true || locked.peer === true))
      continue;
    if (present?.version !== locked.version) return false;
  }
  return true;
}

/**
 * Runs npm, the very one that runs this script where there is one, so that no shell is needed on any platform.
 * @param {string[]} args
 */
export function npm(args) {
  const script = process.env['npm_execpath'];
  const [command, first] = script === undefined ? ['npm', []] : [process.execPath, [script]];
  return spawnSync(command, [...first, ...args], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}

/** Installs the exact dependencies of the lockfile where they are missing or differ. No install script of any package runs. */
export function installDependencies() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Error(
      `REAP Studio needs Node 20.19 or newer, and this is ${process.versions.node}. Install it from nodejs.org.`,
    );
  }
  if (dependenciesAreInstalled(ROOT)) return;
  console.log('Installing dependencies (npm ci --ignore-scripts)…');
  if (!npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'])) {
    throw new Error(
      'The dependencies could not be installed: see the lines of npm above. Check the network, then try again.',
    );
  }
}
