import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const INPUTS = [
  'index.html',
  'package.json',
  'package-lock.json',
  'vite.config.ts',
  'tsconfig.json',
  'tools/build.mjs',
  'tools/response-headers.mjs',
  'src',
  'workers',
  'public',
];

/**
 * The newest change under a path in milliseconds; a folder's own time counts, since removing a file changes that alone.
 * @param {string} path
 * @returns {number}
 */
function newestChange(path) {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return 0;
  if (!status.isDirectory()) return status.mtimeMs;
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestChange(join(path, name))), status.mtimeMs);
}

/**
 * Whether dist/ is there and no older than anything it is made of.
 * @param {string} root
 */
export function buildIsFresh(root) {
  const outputs = ['dist/index.html'];
  if (existsSync(join(root, 'src/cli/main.ts'))) outputs.push('dist/cli/reap-studio.mjs');
  const built = outputs.map((output) => statSync(join(root, output), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return Math.min(...built) > Math.max(...INPUTS.map((input) => newestChange(join(root, input))));
}
