import fc from 'fast-check';
import { StudioError } from '../../src/core/base/errors.ts';
import { parseHeader } from '../../src/core/safetensors/header.ts';
import { damagedFiles } from './safetensors-files.ts';
import { faultyFiles } from './safetensors-mutations.ts';
import { sameVerdict } from './safetensors-properties.ts';

/**
 * Reads N damaged files, and a quarter as many with one known fault each, by the studio's reader and a second one:
 * `npx tsx tools/fuzz/safetensors.ts [N] [SEED]`. Prints the seed first; a failure prints the file it shrank to, and the
 * exit code is 1.
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
    if (sameVerdict(bytes)) accepted += 1;
    slowest = Math.max(slowest, performance.now() - before);
  }),
  { numRuns: runs, seed },
);
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`${result.numRuns} read in ${seconds} s, ${accepted} accepted, slowest ${slowest.toFixed(1)} ms`);
if (result.failed) {
  console.error(fc.defaultReportMessage(result));
  process.exitCode = 1;
}
const faults = fc.check(
  fc.property(faultyFiles, ({ code, bytes }) => {
    try {
      parseHeader(bytes, bytes.byteLength, 'x');
    } catch (error) {
      return error instanceof StudioError && error.code === code;
    }
    return false;
  }),
  { numRuns: Math.ceil(runs / 4), seed },
);
console.log(`${faults.numRuns} with one fault, ${faults.failed ? 'not all' : 'all'} refused for it`);
if (faults.failed) {
  console.error(fc.defaultReportMessage(faults));
  process.exitCode = 1;
}
