import { ensureChromium } from './chromium.mjs';
import { installDependencies } from './setup.mjs';
import { browserStages, checkStages, runStage, sumTallies } from './stages.mjs';

/** @type {import('./stages.mjs').StageResult[]} */
const results = [];

try {
  installDependencies();
  results.push(...checkStages().map(runStage));
  await ensureChromium();
  for (const stage of browserStages()) {
    const result = runStage(stage);
    results.push(result);
    // An old dist/ must not be tested in place of one that does not build.
    if (!result.ok) break;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  results.push({ name: 'set-up', ok: false, tally: undefined });
}

const failures = results.filter(({ ok }) => !ok).map(({ name }) => name);
if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}.`);
const { passed, failed } = sumTallies(results);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
