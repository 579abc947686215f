import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cruise } from 'dependency-cruiser';
import { ROOT } from './setup.mjs';

const RULES = createRequire(import.meta.url)('../.dependency-cruiser.cjs');
const FOLDERS = ['src', 'workers', 'e2e'];

/** @typedef {{ readonly rule: string, readonly from: string, readonly to: string }} Violation */

/**
 * @param {string} root
 * @returns {string[]} every module of ours, relative to the root, with forward slashes
 */
function modulesOnDisk(root) {
  return FOLDERS.filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(
        (name) => `${folder}/${name.replaceAll('\\', '/')}`,
      ),
    )
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts'));
}

/**
 * Checks every import under a root against the rules.
 * @param {string} root
 * @param {import('dependency-cruiser').IConfiguration} [rules]
 * @returns {Promise<{ modules: number, unread: string[], violations: Violation[] }>} `unread` names the modules that the
 * checker did not see: a checker that reads no file finds no fault
 */
export async function checkImports(root, rules = RULES) {
  const expected = modulesOnDisk(root);
  const folders = FOLDERS.filter((folder) => existsSync(join(root, folder)));
  const result = await cruise(folders, {
    ...rules.options,
    baseDir: root,
    validate: true,
    ruleSet: { forbidden: rules.forbidden ?? [] },
  });
  if (typeof result.output === 'string') throw new Error('The import checker answered with text in place of a result.');
  const read = new Set(result.output.modules.filter(({ valid }) => valid !== undefined).map(({ source }) => source));
  return {
    modules: expected.length,
    unread: expected.filter((name) => !read.has(name)),
    violations: result.output.summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
  };
}

async function main() {
  const { modules, unread, violations } = await checkImports(ROOT);
  for (const { rule, from, to } of violations) {
    const comment = RULES.forbidden.find((/** @type {{ name: string }} */ { name }) => name === rule)?.comment ?? '';
    console.error(`${rule}: ${from} → ${to}\n  ${comment}`);
  }
  if (unread.length > 0)
    console.error(
      `The import checker did not read ${unread.length} of ${modules} modules: ${unread.slice(0, 5).join(', ')}`,
    );
  if (modules === 0) console.error('The import checker found no module at all.');
  if (violations.length > 0 || unread.length > 0 || modules === 0) process.exitCode = 1;
  else console.log(`${modules} modules, no forbidden import.`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
