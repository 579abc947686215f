import { summariseCheckpoint } from '../../core/checkpoint/summarise.ts';
import type { CheckpointSummary, MoeLayerSummary } from '../../core/checkpoint/summary.ts';
import { checkPlanFits, serialisePlan } from '../../core/plan/plan-file.ts';
import type { PlanWarning } from '../../core/plan/plan-warnings.ts';
import type { PruningPlan } from '../../core/plan/pruning-plan.ts';
import { type SelectionConstraints, type SelectionSize, selectExperts } from '../../core/plan/selection.ts';
import { hashText } from '../../core/saliency/hash-text.ts';
import { checkMeasured } from '../../core/saliency/measured.ts';
import type { SaliencyMetric } from '../../core/saliency/metric.ts';
import { defaultMetric, saliencyMetrics } from '../../core/saliency/registry.ts';
import { scoreLayers } from '../../core/saliency/saliency-matrix.ts';
import { type CalibrationStatistics, serialiseStatistics } from '../../core/saliency/statistics-file.ts';
import { findSuperExperts } from '../../core/saliency/super-experts.ts';
import { byteSize, expertSet, numberOption, parseCommandLine, required, usageError } from '../arguments.ts';
import { type CliIo, EXIT } from '../cli-io.ts';
import { DESCRIPTOR_OPTION, readDescriptor } from '../descriptor-option.ts';
import { expertsThatFit } from '../fit-bytes.ts';
import { openModel } from '../open-model.ts';
import { importFile, readStatistics } from '../read-statistics.ts';
import { writeTextFile } from '../text-files.ts';

const OPTIONS = {
  stats: { type: 'string' },
  import: { type: 'string' },
  metric: { type: 'string' },
  ratio: { type: 'string' },
  experts: { type: 'string' },
  'max-bytes': { type: 'string' },
  model: { type: 'string' },
  ...DESCRIPTOR_OPTION,
  policy: { type: 'string', default: 'uniform' },
  protect: { type: 'string' },
  'protect-super-experts': { type: 'boolean', default: false },
  'next-token': { type: 'string', default: 'prune' },
  out: { type: 'string' },
  force: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof parseCommandLine<typeof OPTIONS>>['values'];

function metricOf(id: string | undefined): SaliencyMetric {
  if (id === undefined) return defaultMetric;
  const metric = saliencyMetrics.get(id);
  if (metric === undefined)
    throw usageError('unknown-metric', `There is no metric "${id}"; there are ${saliencyMetrics.ids().join(', ')}.`);
  return metric;
}

function nextTokenOf(value: string): PruningPlan['nextToken'] {
  if (value === 'prune' || value === 'drop') return value;
  throw usageError('bad-next-token', `--next-token takes prune or drop, not "${value}".`);
}

function sizeOf(
  values: Values,
  summary: CheckpointSummary | undefined,
  nextToken: PruningPlan['nextToken'],
): SelectionSize {
  const { ratio, experts, 'max-bytes': maxBytes } = values;
  if ([ratio, experts, maxBytes].filter((value) => value !== undefined).length !== 1) {
    throw usageError('one-size', 'Give exactly one of --ratio, --experts and --max-bytes.');
  }
  if (ratio !== undefined) return { ratio: numberOption(ratio, '--ratio') };
  if (experts !== undefined) return { expertsToKeep: numberOption(experts, '--experts') };
  if (summary === undefined)
    throw usageError('missing-option', '--max-bytes needs --model MODEL, whose sizes it counts with.');
  return { expertsToKeep: expertsThatFit(summary, byteSize(maxBytes ?? '', '--max-bytes'), nextToken) };
}

/** Layers as the statistics know them: selection needs no sizes. */
function layersOf(statistics: CalibrationStatistics): MoeLayerSummary[] {
  const sizes = { expertParameters: 0, expertBytes: 0, routerParametersPerExpert: 0, routerBytesPerExpert: 0 };
  return statistics.layers.map(({ layer, experts, topK, groups }) => ({
    layer,
    experts,
    topK,
    ...sizes,
    ...(groups === undefined ? {} : { groups }),
  }));
}

function constraintsOf(values: Values, statistics: CalibrationStatistics): SelectionConstraints {
  const superExperts = new Map<number, Set<number>>();
  if (values['protect-super-experts']) {
    checkMeasured(statistics, ['maxAbs'], 'The search for super experts');
    for (const { layer, expert } of findSuperExperts(statistics.layers, 'first-three-quarters').experts) {
      superExperts.set(layer, (superExperts.get(layer) ?? new Set()).add(expert));
    }
  }
  return {
    ...(values.protect === undefined ? {} : { pinned: expertSet(values.protect, '--protect') }),
    ...(superExperts.size === 0 ? {} : { superExperts }),
  };
}

/** Options that choose by scores: senseless where another tool has chosen. */
const CHOOSING = ['ratio', 'experts', 'max-bytes', 'metric', 'protect'] as const;

/** The choice that another tool made, as a plan; undefined where its file holds statistics to choose by. */
async function importedChoice(
  values: Values,
  path: string,
  summary: CheckpointSummary,
  nextToken: PruningPlan['nextToken'],
): Promise<Made | undefined> {
  const imported = await importFile(path, summary);
  if (imported.kind === 'statistics') return undefined;
  const given = CHOOSING.find((option) => values[option] !== undefined);
  if (given !== undefined) {
    throw usageError('already-chosen', `"${path}" says which experts stay: leave out --${given}.`);
  }
  return { plan: { ...imported.plan, nextToken }, notes: imported.notes, warnings: [] };
}

interface Made {
  readonly plan: PruningPlan;
  /** What was understood of another tool's file. */
  readonly notes: readonly string[];
  readonly warnings: readonly PlanWarning[];
}

async function planFromStatistics(
  values: Values,
  path: string,
  summary: CheckpointSummary | undefined,
  nextToken: PruningPlan['nextToken'],
): Promise<Made> {
  const metric = metricOf(values.metric);
  const size = sizeOf(values, summary, nextToken);
  const { statistics, notes } = await readStatistics(path, summary);
  const { plan, warnings } = selectExperts({
    model: statistics.model,
    layers: summary?.moeLayers ?? layersOf(statistics),
    scores: scoreLayers(statistics, metric),
    metric: metric.id,
    size,
    constraints: constraintsOf(values, statistics),
    calibration: {
      domains: statistics.domains,
      gate: statistics.gate,
      statisticsHash: await hashText(serialiseStatistics(statistics)),
    },
    nextToken,
  });
  if (summary !== undefined) checkPlanFits(plan, summary);
  return { plan, notes, warnings };
}

/** Makes a plan from statistics, or from another tool's file. With --model it is also checked against that checkpoint. */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseCommandLine(argv, OPTIONS);
  if (positionals[0] !== undefined)
    throw usageError('too-many-arguments', `"${positionals[0]}" is one argument too many.`);
  if (values.policy !== 'uniform')
    throw usageError('unknown-policy', `There is no policy "${values.policy}"; there is uniform.`);
  if (values.stats !== undefined && values.import !== undefined)
    throw usageError('one-source', 'Give either --stats or --import.');
  const path = required(values.import ?? values.stats, '--stats');
  const out = required(values.out, '--out');
  metricOf(values.metric);
  const descriptor = await readDescriptor(values.descriptor);
  const summary =
    values.model === undefined ? undefined : summariseCheckpoint(await openModel(values.model, io.signal, descriptor));
  if (values.import !== undefined && summary === undefined)
    throw usageError('missing-option', '--import needs --model MODEL, whose layers the file is held against.');
  const nextToken = nextTokenOf(values['next-token']);
  const chosen =
    values.import === undefined || summary === undefined
      ? undefined
      : await importedChoice(values, path, summary, nextToken);
  const { plan, notes, warnings } = chosen ?? (await planFromStatistics(values, path, summary, nextToken));
  await writeTextFile(out, serialisePlan(plan), values.force);
  for (const note of notes) io.stderr(`${note}\n`);
  for (const { message } of warnings) io.stderr(`${message}\n`);
  const kept = plan.layers.map(({ keep }) => keep.length);
  const before = plan.layers.map(({ experts }) => experts);
  const how = chosen === undefined ? `by ${metricOf(values.metric).label}` : `as "${path}" says`;
  io.stdout(
    values.json
      ? `${JSON.stringify({ out, metric: plan.metric, layers: plan.layers.length, keep: kept, experts: before, notes, warnings })}\n`
      : `${out}: keeps ${Math.min(...kept)} of ${Math.max(...before)} experts in ${plan.layers.length} layers ${how}\n`,
  );
  return EXIT.ok;
}
