import { installDependencies } from './setup.mjs';
import { checkStages, runStage } from './stages.mjs';

try {
  installDependencies();
  const failed = checkStages()
    .map(runStage)
    .filter(({ ok }) => !ok);
  if (failed.length > 0) {
    console.error(`\nFailed: ${failed.map(({ name }) => name).join(', ')}.`);
    process.exitCode = 1;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
