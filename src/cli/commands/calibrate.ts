import { join } from 'node:path';
import { calibrate } from '../../core/calibration/calibrate.ts';
import { StoredJournal } from '../../core/calibration/journal.ts';
import { RunControl } from '../../core/calibration/run-control.ts';
import { calibrationRunKey } from '../../core/calibration/run-key.ts';
import { hashSequences } from '../../core/corpus/corpus.ts';
import type { LayerStatistics } from '../../core/saliency/layer-statistics.ts';
import { type GateMode, serialiseStatistics } from '../../core/saliency/statistics-file.ts';
import { countOption, onePositional, parseCommandLine, required, usageError } from '../arguments.ts';
import { type CliIo, EXIT } from '../cli-io.ts';
import { DESCRIPTOR_OPTION, readDescriptor } from '../descriptor-option.ts';
import { withLock } from '../lock-file.ts';
import { memoryOption } from '../memory-option.ts';
import { openNodeBackend } from '../node-backend.ts';
import { NodeStore } from '../node-store.ts';
import { openModel } from '../open-model.ts';
import { ProgressLine } from '../progress-line.ts';
import { CORPUS_OPTIONS, corpusChoice, readCorpus } from '../read-corpus.ts';
import { ScratchFolder } from '../scratch-folder.ts';
import { checkOutput, writeTextFile } from '../text-files.ts';

const OPTIONS = {
  ...CORPUS_OPTIONS,
  ...DESCRIPTOR_OPTION,
  gate: { type: 'string', default: 'model' },
  layers: { type: 'string' },
  shard: { type: 'string' },
  memory: { type: 'string' },
  resume: { type: 'string' },
  threads: { type: 'string' },
  out: { type: 'string' },
  force: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

function gateOf(value: string): GateMode {
  if (value === 'model' || value === 'reference') return value;
  throw usageError('unknown-gate', `--gate takes "model" or "reference", not "${value}".`);
}

/** "a-b" or "a": first and last layer whose statistics are wanted. */
function layerRange(value: string | undefined, layers: number): readonly [number, number] {
  if (value === undefined) return [0, layers - 1];
  const match = /^(\d+)(?:-(\d+))?$/.exec(value);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || first > last || last >= layers) {
    throw usageError('bad-layers', `--layers takes a range such as 0-${layers - 1}, not "${value}".`);
  }
  return [first, last];
}

/** "i/n", counted from 1: every n-th sequence from the i-th on. */
function shardOf(value: string | undefined): readonly [number, number] {
  if (value === undefined) return [1, 1];
  const match = /^(\d+)\/(\d+)$/.exec(value);
  const index = Number(match?.[1]);
  const count = Number(match?.[2]);
  if (match === null || index < 1 || index > count)
    throw usageError('bad-shard', `--shard takes i/n with 1 ≤ i ≤ n, not "${value}".`);
  return [index, count];
}

/** Calibrates a model on text or tokens and writes its statistics; one process at a time works in a --resume folder. */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  const parsed = parseCommandLine(argv, OPTIONS);
  const { resume } = parsed.values;
  if (resume === undefined) return calibrateModel(parsed, io);
  await NodeStore.open(resume);
  return withLock(resume, () => calibrateModel(parsed, io));
}

type Parsed = ReturnType<typeof parseCommandLine<typeof OPTIONS>>;

async function calibrateModel({ values, positionals }: Parsed, io: CliIo): Promise<number> {
  const model = onePositional(positionals, 'MODEL');
  const out = required(values.out, '--out');
  const gate = gateOf(values.gate);
  await checkOutput(out, values.force);
  const checkpoint = await openModel(model, io.signal, await readDescriptor(values.descriptor));
  const [firstLayer, lastLayer] = layerRange(values.layers, checkpoint.config.layers);
  const [shard, shards] = shardOf(values.shard);
  const corpus = await readCorpus(checkpoint, corpusChoice(values), io);
  const domains = await Promise.all(
    corpus.domains.map(async ({ name, sequences, hash }) => {
      const mine = sequences.filter((_, index) => index % shards === shard - 1);
      const tokens = mine.reduce((sum, ids) => sum + ids.length, 0);
      return {
        identity: { name, tokens, sequences: mine.length, hash: shards === 1 ? hash : await hashSequences(mine) },
        sequences: mine,
      };
    }),
  );
  const identities = domains.map(({ identity }) => identity);
  const memoryBudget = memoryOption(values.memory);
  const backend = await openNodeBackend(countOption(values.threads, '--threads'));
  const control = new RunControl();
  io.signal.addEventListener('abort', () => control.cancel(), { once: true });
  const header = {
    model: {
      architecture: checkpoint.architecture.id,
      fingerprint: checkpoint.fingerprint,
      source: checkpoint.folder.label,
    },
    gate,
    domains: identities,
  };
  const journal =
    values.resume === undefined
      ? undefined
      : new StoredJournal(
          await NodeStore.open(join(values.resume, await calibrationRunKey(checkpoint, identities, gate, io.signal))),
          header,
        );
  const scratch = new ScratchFolder();
  const line = new ProgressLine(io);
  const layers: LayerStatistics[] = [];
  const started = performance.now();
  io.stderr(
    `${backend.about.description}; ${identities.map(({ name, tokens }) => `${name} ${tokens} tokens`).join(', ')}\n`,
  );
  const steps = calibrate({
    checkpoint,
    backend,
    domains: domains.map(({ sequences }) => sequences),
    gate,
    control,
    lastLayer,
    memoryBudget,
    ...(journal === undefined ? {} : { journal }),
    scratch: async () => new StoredJournal(await scratch.open(), header),
    onProgress: ({ layer, layers: count, fraction, etaSeconds }) =>
      line.update(
        `layer ${layer + 1} of ${count}, ${Math.round(fraction * 100)} %${etaSeconds === null ? '' : `, ${Math.ceil(etaSeconds)} s left`}`,
      ),
  });
  try {
    for await (const statistics of steps) if (statistics.layer >= firstLayer) layers.push(statistics);
  } finally {
    line.end();
    for (const note of backend.about.notes) io.stderr(`${note}\n`);
    await backend.close();
    await scratch.remove();
  }
  await writeTextFile(out, serialiseStatistics({ ...header, layers }), values.force);
  if (lastLayer === checkpoint.config.layers - 1) await journal?.clear();
  const seconds = (performance.now() - started) / 1000;
  const summary = {
    out,
    layers: layers.length,
    tokens: identities.reduce((sum, { tokens }) => sum + tokens, 0),
    seconds,
  };
  io.stdout(
    values.json
      ? `${JSON.stringify(summary)}\n`
      : `${out}: ${summary.layers} layers, ${summary.tokens} tokens, ${seconds.toFixed(1)} s\n`,
  );
  return EXIT.ok;
}
