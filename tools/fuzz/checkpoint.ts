import fc from 'fast-check';
import { damagedCheckpoints } from './checkpoint-files.ts';
import { useDamaged } from './checkpoint-properties.ts';

/**
 * Opens N damaged checkpoints of two shards, with index, config, tokenizer and chat template: `npx tsx
 * tools/fuzz/checkpoint.ts [N] [SEED]`. Prints the seed first; a failure prints the files it shrank to, and the exit code is 1.
 */
const runs = Number(process.argv[2] ?? 20_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed)) {
  console.error('usage: tsx tools/fuzz/checkpoint.ts [N] [SEED]');
  process.exit(2);
}
console.log(`${runs} checkpoints, seed ${seed}`);

const opened = { checkpoint: 0, tokenizer: 0 };
let slowest = 0;
const started = performance.now();
const result = await fc.check(
  fc.asyncProperty(damagedCheckpoints, async (files) => {
    const before = process.cpuUsage();
    const { checkpoint, tokenizer } = await useDamaged(files);
    slowest = Math.max(slowest, process.cpuUsage(before).user / 1000);
    opened.checkpoint += Number(checkpoint);
    opened.tokenizer += Number(tokenizer);
  }),
  { numRuns: runs, seed },
);
const seconds = ((performance.now() - started) / 1000).toFixed(0);
console.log(
  `${result.numRuns} tried in ${seconds} s: ${opened.checkpoint} opened, ${opened.tokenizer} with a tokenizer that encodes; slowest ${slowest.toFixed(0)} ms of processor time`,
);
if (result.failed) {
  console.error(fc.defaultReportMessage(result));
  process.exitCode = 1;
}
