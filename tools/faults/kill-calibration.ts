import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { type KillMoment, type Remains, runAndKill } from './killed-run.ts';

/**
 * Kills calibrations at random moments and resumes them: `npx tsx tools/faults/kill-calibration.ts [KILLS] [SEED]`, over the
 * built command line (`npm run build`) and the demo model. Every other kill waits for the journal to change, so that it
 * meets a file half written. Each run is killed one to three times before it may end; its statistics must be those of an
 * uninterrupted run, byte for byte.
 */
const KILLS = Number(process.argv[2] ?? 100);
const SEED = Number(process.argv[3] ?? Date.now() % 2 ** 31);
if (!Number.isSafeInteger(KILLS) || KILLS < 1 || !Number.isSafeInteger(SEED)) {
  console.error('usage: tsx tools/faults/kill-calibration.ts [KILLS] [SEED]');
  process.exit(2);
}
const ROOT = new URL('../..', import.meta.url).pathname;
/** Changes of the journal's folder that a run of eight layers makes, about. */
const JOURNAL_CHANGES = 60;

let state = SEED;
/** In [0, 1), equal for equal seeds. */
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

const room = mkdtempSync(join(tmpdir(), 'reap-studio-kills-'));
const command = (name: string): readonly string[] => [
  process.execPath,
  join(ROOT, 'dist/cli/reap-studio.mjs'),
  'calibrate',
  join(ROOT, 'public/demo/model'),
  '--corpus',
  `${join(ROOT, 'public/demo/corpora/english.calibration.jsonl')}:english`,
  ...['--max-tokens', '1024', '--threads', '1', '--force', '--resume', join(room, name)],
  ...['--out', join(room, `${name}.stats.json`)],
];
const statistics = (name: string): string => readFileSync(join(room, `${name}.stats.json`), 'utf8');
const run = (name: string, moment?: KillMoment): Promise<Remains> =>
  runAndKill(command(name), join(room, name), moment);

function mustEnd({ exitCode, stderr }: Remains): void {
  if (exitCode !== 0) throw new Error(`the run ended with ${exitCode}: ${stderr}`);
}

console.log(`${KILLS} kills, seed ${SEED}`);
const started = performance.now();
mustEnd(await run('whole'));
const duration = performance.now() - started;
const whole = statistics('whole');

const tally = { kills: 0, 'ended before the kill': 0, 'with a file half written': 0, runs: 0 };
const layers = new Map<number, number>();
for (let round = 0; tally.kills < KILLS; round++) {
  const name = `run-${round}`;
  const times = 1 + Math.floor(random() * 3);
  for (let kill = 0; kill < times && tally.kills < KILLS; kill++) {
    const moment: KillMoment =
      random() < 0.5
        ? { kind: 'time', milliseconds: random() * duration }
        : { kind: 'journal-change', changes: 1 + Math.floor(random() * JOURNAL_CHANGES) };
    const left = await run(name, moment);
    if (!left.killed) {
      mustEnd(left);
      tally['ended before the kill'] += 1;
      break;
    }
    tally.kills += 1;
    if (left.unfinished.length > 0) tally['with a file half written'] += 1;
    layers.set(left.nextLayer, (layers.get(left.nextLayer) ?? 0) + 1);
  }
  mustEnd(await run(name));
  tally.runs += 1;
  if (statistics(name) !== whole) {
    console.error(`${name} in ${room} has other statistics than an uninterrupted run`);
    process.exit(1);
  }
}
console.log(
  Object.entries(tally)
    .map(([what, count]) => `${what}: ${count}`)
    .join(', '),
);
const byLayer = [...layers].sort(([a], [b]) => a - b).map(([layer, count]) => `${layer}: ${count}`);
console.log(`kills by the layer to go on with: ${byLayer.join(', ')}`);
console.log(`all statistics equal to the last byte, ${((performance.now() - started) / 1000).toFixed(0)} s`);
rmSync(room, { recursive: true });
