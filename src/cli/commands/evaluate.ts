import { RunControl } from '../../core/calibration/run-control.ts';
import { summariseCheckpoint } from '../../core/checkpoint/summarise.ts';
import { type DomainLoss, evaluate } from '../../core/evaluation/evaluate.ts';
import { checkPlanFits, parsePlan } from '../../core/plan/plan-file.ts';
import { countOption, onePositional, parseCommandLine } from '../arguments.ts';
import { type CliIo, EXIT } from '../cli-io.ts';
import { DESCRIPTOR_OPTION, readDescriptor } from '../descriptor-option.ts';
import { openNodeBackend } from '../node-backend.ts';
import { openModel } from '../open-model.ts';
import { ProgressLine } from '../progress-line.ts';
import { CORPUS_OPTIONS, corpusChoice, readCorpus } from '../read-corpus.ts';
import { readTextFile } from '../text-files.ts';

const OPTIONS = {
  ...CORPUS_OPTIONS,
  ...DESCRIPTOR_OPTION,
  plan: { type: 'string' },
  threads: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

function asTable(
  names: readonly string[],
  base: readonly DomainLoss[],
  masked: readonly DomainLoss[] | undefined,
): string {
  const width = Math.max(6, ...names.map((name) => name.length));
  const rows = names.map((name, i) => {
    const cut = masked?.[i];
    const first = base[i];
    return `${name.padEnd(width)}  ${first?.meanNll.toFixed(4)}  ${first?.perplexity.toFixed(2)}${cut === undefined ? '' : `  ${cut.meanNll.toFixed(4)}  ${cut.perplexity.toFixed(2)}`}`;
  });
  const head = `${'domain'.padEnd(width)}  loss    perplexity${masked === undefined ? '' : '  pruned loss  pruned perplexity'}`;
  return `${[head, ...rows].join('\n')}\n`;
}

/** Mean next-token loss per domain, of the model as it is and, with a plan, with the plan's experts masked. */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseCommandLine(argv, OPTIONS);
  const model = onePositional(positionals, 'MODEL');
  const checkpoint = await openModel(model, io.signal, await readDescriptor(values.descriptor));
  const plan = values.plan === undefined ? undefined : parsePlan(await readTextFile(values.plan));
  if (plan !== undefined) checkPlanFits(plan, summariseCheckpoint(checkpoint));
  const corpus = await readCorpus(checkpoint, corpusChoice(values), io);
  const backend = await openNodeBackend(countOption(values.threads, '--threads'));
  const control = new RunControl();
  io.signal.addEventListener('abort', () => control.cancel(), { once: true });
  const line = new ProgressLine(io);
  const domains = corpus.domains.map(({ windows }) => windows);
  const measure = (what: string, withPlan: typeof plan): Promise<DomainLoss[]> =>
    evaluate({
      checkpoint,
      backend,
      domains,
      control,
      ...(withPlan === undefined ? {} : { plan: withPlan }),
      onProgress: (fraction) => line.update(`${what}, ${Math.round(fraction * 100)} %`),
    });
  const measureBoth = async (): Promise<readonly [DomainLoss[], DomainLoss[] | undefined]> => [
    await measure('the model as it is', undefined),
    plan === undefined ? undefined : await measure('with the plan', plan),
  ];
  const [base, masked] = await measureBoth().finally(() => {
    line.end();
    for (const note of backend.about.notes) io.stderr(`${note}\n`);
    return backend.close();
  });
  const names = corpus.domains.map(({ name }) => name);
  if (values.json) {
    const result = names.map((name, i) => ({
      domain: name,
      model: base[i],
      ...(masked === undefined ? {} : { pruned: masked[i] }),
    }));
    io.stdout(`${JSON.stringify(result)}\n`);
  } else {
    io.stdout(asTable(names, base, masked));
  }
  return EXIT.ok;
}
