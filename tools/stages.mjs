import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { CACHE, ROOT } from './setup.mjs';

/**
 * One step of the checks: a script of Node, run by itself. `report` is the JSON file that a test runner writes.
 * @typedef {{ readonly name: string, readonly script: string, readonly args: readonly string[], readonly report?: string, readonly env?: Readonly<Record<string, string>> }} Stage
 * @typedef {{ readonly passed: number, readonly failed: number }} Tally tests, not stages
 * @typedef {{ readonly name: string, readonly ok: boolean, readonly tally: Tally | undefined }} StageResult
 */

/**
 * The script behind a command of an installed package.
 * @param {string} name of the package
 * @param {string} [command] where the package has more than one
 */
export function packageScript(name, command) {
  const manifestPath = createRequire(join(ROOT, 'package.json')).resolve(`${name}/package.json`);
  const { bin } = JSON.parse(readFileSync(manifestPath, 'utf8'));
  return join(dirname(manifestPath), typeof bin === 'string' ? bin : bin[command ?? name]);
}

export const UNIT_REPORT = join(CACHE, 'unit.json');
export const END_TO_END_REPORT = join(CACHE, 'end-to-end.json');

/** Everything that needs no browser, quickest to say no first. */
export function checkStages() {
  const vitest = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${UNIT_REPORT}`];
  return [
    { name: 'format and lint', script: packageScript('@biomejs/biome', 'biome'), args: ['ci', '.'] },
    { name: 'types', script: packageScript('typescript', 'tsc'), args: ['--build'] },
    { name: 'import rules', script: join(ROOT, 'tools/check-imports.mjs'), args: [] },
    { name: 'unit tests', script: packageScript('vitest'), args: vitest, report: UNIT_REPORT },
  ];
}

/** What follows in a browser. */
export function browserStages() {
  return [
    { name: 'build', script: join(ROOT, 'tools/build.mjs'), args: [] },
    {
      name: 'end-to-end tests',
      script: packageScript('@playwright/test', 'playwright'),
      args: ['test', '--config', 'e2e/playwright.config.ts'],
      report: END_TO_END_REPORT,
      env: { PLAYWRIGHT_JSON_OUTPUT_FILE: END_TO_END_REPORT },
    },
  ];
}

/**
 * Reads the counts out of a report of vitest or Playwright; undefined where there is none to read.
 * @param {string} path
 * @returns {Tally | undefined}
 */
export function readTally(path) {
  if (!existsSync(path)) return undefined;
  const report = JSON.parse(readFileSync(path, 'utf8'));
  if (typeof report.numPassedTests === 'number')
    return { passed: report.numPassedTests, failed: report.numFailedTests };
  return { passed: report.stats.expected, failed: report.stats.unexpected + report.stats.flaky };
}

/**
 * Runs one stage and prints its name, its outcome and its seconds.
 * @param {Stage} stage
 * @returns {StageResult}
 */
export function runStage({ name, script, args, report, env }) {
  console.log(`\n── ${name}`);
  // A report of an earlier run must not speak for this one.
  if (report !== undefined) rmSync(report, { force: true });
  const began = performance.now();
  const { status } = spawnSync(process.execPath, [script, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`── ${name}: ${status === 0 ? 'ok' : 'FAILED'} (${seconds} s)`);
  return { name, ok: status === 0, tally: report === undefined ? undefined : readTally(report) };
}

/**
 * The sum over all stages. A stage that failed without a failed test (a lint error, a crash) counts as one failure, so that
 * a failed run never ends in "0 failed".
 * @param {readonly StageResult[]} results
 * @returns {Tally}
 */
export function sumTallies(results) {
  let passed = 0;
  let failed = 0;
  for (const { ok, tally } of results) {
    passed += tally?.passed ?? 0;
    failed += Math.max(tally?.failed ?? 0, ok ? 0 : 1);
  }
  return { passed, failed };
}
