import { safeFileName } from '../client/download.ts';
import { DEFAULT_MEMORY_BUDGET } from '../core/calibration/memory-default.ts';
import type { CheckpointSummary } from '../core/checkpoint/summary.ts';
import { DEFAULT_ENDPOINT } from '../core/hub/hub-name.ts';
import type { SourceSpec } from '../core/protocol/source-spec.ts';
import { defaultMetric } from '../core/saliency/registry.ts';
import { calibrationStore } from './calibration-store.ts';
import { checkpointStore } from './checkpoint-store.ts';
import { corpusArguments } from './command-corpus.ts';
import { corpusStore } from './corpus-store.ts';
import { heldPlan } from './derived.ts';
import { exportSettings } from './export-settings.ts';
import { originStore, type RunSettings } from './plan-origin.ts';
import { type OpenedPlan, planStore } from './plan-store.ts';
import { shellWord } from './shell-word.ts';

/** Lines for a shell that repeat the page's work, and what the person must know before running them. */
export interface CommandLine {
  readonly text: string;
  readonly notes: readonly string[];
}

type Arguments = readonly (string | readonly string[])[];

const MIB = 2 ** 20;
/** What the command line takes without `--sequence-length`, where the model allows it. */
const DEFAULT_SEQUENCE_LENGTH = 2048;
const PLACEHOLDER = 'PATH/TO';

/** The `reap-studio` lines that repeat the present work; null while no model is open, or no text, statistics or plan is there. */
export function presentCommand(): CommandLine | null {
  const { source, summary } = checkpointStore.getState();
  if (source === null || summary === null) return null;
  const model = modelOf(source.spec);
  const name = safeFileName(summary.label);
  const files = { stats: `${name}.stats.json`, plan: `${name}.plan.json` };
  const { opened } = planStore.getState();
  const held = heldPlan()?.value != null ? opened : null;
  const made = held === null ? planLines(model, files, summary) : heldLines(model, held, files.plan);
  if (made === null) return null;
  const percent = held === null ? planStore.getState().percent : Math.round(held.plan.ratio * 100);
  const { shardBytes } = exportSettings.getState();
  const exported = line(model, [
    'export',
    [model.word, ...model.descriptor],
    ['--plan', made.plan],
    shardBytes === null ? [] : ['--shard-size', String(shardBytes)],
    ['--out', `${name}-pruned-${percent}`],
  ]);
  return { text: [...made.lines, exported].join(' &&\n'), notes: [...model.notes, ...made.notes] };
}

interface ModelWords {
  readonly word: string;
  readonly descriptor: readonly string[];
  /** Settings that stand before the program's name. */
  readonly environment: string;
  readonly notes: readonly string[];
}

function modelOf(spec: SourceSpec): ModelWords {
  const descriptor =
    spec.descriptor === undefined ? [] : ['--descriptor', `${PLACEHOLDER}/${spec.label}.descriptor.json`];
  const notes =
    spec.descriptor === undefined
      ? []
      : [
          'The model is read by a descriptor of your own: copy it from the inspector into the file that --descriptor names.',
        ];
  switch (spec.kind) {
    case 'hub': {
      const { repo, commit, endpoint, token } = spec.hub;
      return {
        word: `hf:${repo}@${commit}`,
        descriptor,
        environment: environmentOf(endpoint),
        notes:
          token === undefined
            ? notes
            : [
                'The repository was opened with a token, which is not part of the command: set it as HF_TOKEN.',
                ...notes,
              ],
      };
    }
    case 'http':
      return {
        word: 'public/demo/model',
        descriptor,
        environment: '',
        notes: ['Run it in the folder of REAP Studio, where the demo lies.', ...notes],
      };
    case 'files':
    case 'directory':
      return {
        word: `${PLACEHOLDER}/${spec.label}`,
        descriptor,
        environment: '',
        notes: [`Put the model’s folder in place of ${PLACEHOLDER}: a browser does not tell where it lies.`, ...notes],
      };
  }
}

interface PlanLines {
  readonly lines: readonly string[];
  readonly plan: string;
  readonly notes: readonly string[];
}

/** A plan from a file is there already; one of another tool is made of its file first. */
function heldLines(model: ModelWords, { name, plan, notes }: OpenedPlan, planFile: string): PlanLines {
  if (notes.length === 0) return { lines: [], plan: name, notes: [] };
  const made = line(model, [
    'plan',
    ['--import', name],
    ['--model', model.word, ...model.descriptor],
    nextTokenArguments(plan.nextToken),
    ['--out', planFile],
  ]);
  return { lines: [made], plan: planFile, notes: [] };
}

function planLines(
  model: ModelWords,
  files: { readonly stats: string; readonly plan: string },
  summary: CheckpointSummary,
): PlanLines | null {
  const { percent, metric, protectSuperExperts, nextToken } = planStore.getState();
  const { statisticsFile, run } = originStore.getState();
  const opened = calibrationStore.getState().statistics === null ? null : statisticsFile;
  const measured = opened === null ? calibrateLine(model, files.stats, run ?? corpusStore.getState(), summary) : null;
  if (opened === null && measured === null) return null;
  const isImport = opened !== null && !opened.endsWith('.stats.json');
  const plan = line(model, [
    'plan',
    isImport ? ['--import', opened, '--model', model.word, ...model.descriptor] : ['--stats', opened ?? files.stats],
    ['--ratio', String(percent / 100)],
    metric === defaultMetric.id ? [] : ['--metric', metric],
    protectSuperExperts ? '--protect-super-experts' : [],
    nextTokenArguments(nextToken),
    ['--out', files.plan],
  ]);
  return {
    lines: [...(measured === null ? [] : [measured.line]), plan],
    plan: files.plan,
    notes: measured?.notes ?? [],
  };
}

function calibrateLine(
  model: ModelWords,
  statsFile: string,
  { bundled, own, sequenceLength, maxTokensPerDomain, gate, memoryMiB }: RunSettings,
  { maxPositions }: CheckpointSummary,
): { readonly line: string; readonly notes: readonly string[] } | null {
  const corpus = corpusArguments({ bundled, own }, PLACEHOLDER);
  if (corpus === null) return null;
  const environment = model.environment === '' ? environmentOf(corpus.endpoint) : model.environment;
  const usual = Math.min(DEFAULT_SEQUENCE_LENGTH, maxPositions);
  const made = line({ environment }, [
    'calibrate',
    [model.word, ...model.descriptor],
    ...corpus.arguments,
    corpus.isTokens ? [] : ['--max-tokens', String(maxTokensPerDomain)],
    corpus.isTokens || sequenceLength === usual ? [] : ['--sequence-length', String(sequenceLength)],
    gate === 'model' ? [] : ['--gate', gate],
    memoryMiB * MIB === DEFAULT_MEMORY_BUDGET ? [] : ['--memory', `${memoryMiB}MiB`],
    ['--out', statsFile],
  ]);
  return { line: made, notes: corpus.notes };
}

/** The setting that names another hub than the usual one. */
function environmentOf(endpoint: string | null): string {
  return endpoint === null || endpoint === DEFAULT_ENDPOINT ? '' : `HF_ENDPOINT=${shellWord(endpoint)} `;
}

function nextTokenArguments(nextToken: 'prune' | 'drop'): readonly string[] {
  return nextToken === 'prune' ? [] : ['--next-token', nextToken];
}

function line({ environment }: Pick<ModelWords, 'environment'>, parts: Arguments): string {
  return `${environment}reap-studio ${parts.flat().map(shellWord).join(' ')}`;
}
