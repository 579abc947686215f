import fc from 'fast-check';
import { damagedFiles } from './safetensors-files.ts';
import { checkAccepted, headerOrRefusal } from './safetensors-properties.ts';

/**
 * Reads N damaged files: `npx tsx tools/fuzz/safetensors.ts [N] [SEED]`. Prints the seed first; a failure prints the file
 * it shrank to, and the exit code is 1.
 */
const runs = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed)) {
  console.error('usage: tsx tools/fuzz/safetensors.ts [N] [SEED]');
  process.exit(2);
}
console.log(`${runs} files, seed ${seed}`);

let accepted = 0;
let slowest = 0;
const started = performance.now();
const result = fc.check(
  fc.property(damagedFiles, (bytes) => {
    const before = performance.now();
    const header = headerOrRefusal(bytes);
    slowest = Math.max(slowest, performance.now() - before);
    if (header === null) return;
    accepted += 1;
    checkAccepted(bytes, header);
  }),
  { numRuns: runs, seed },
);
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`${result.numRuns} read in ${seconds} s, ${accepted} accepted, slowest ${slowest.toFixed(1)} ms`);
if (result.failed) {
  console.error(fc.defaultReportMessage(result));
  process.exitCode = 1;
}
