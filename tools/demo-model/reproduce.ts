import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { nodeBackend } from '../../src/cli/node-backend.ts';
import { openNodeFolder } from '../../src/cli/node-folder.ts';
import { calibrate } from '../../src/core/calibration/calibrate.ts';
import { RunControl } from '../../src/core/calibration/run-control.ts';
import type { Checkpoint } from '../../src/core/checkpoint/checkpoint.ts';
import { openCheckpoint } from '../../src/core/checkpoint/open-checkpoint.ts';
import { summariseCheckpoint } from '../../src/core/checkpoint/summarise.ts';
import { buildCorpus, type CorpusDomain } from '../../src/core/corpus/corpus.ts';
import { loadModelTokenizer } from '../../src/core/corpus/model-tokenizer.ts';
import { readDocuments } from '../../src/core/corpus/text-reader.ts';
import { evaluate } from '../../src/core/evaluation/evaluate.ts';
import type { PruningPlan } from '../../src/core/plan/pruning-plan.ts';
import { selectExperts } from '../../src/core/plan/selection.ts';
import type { LayerStatistics } from '../../src/core/saliency/layer-statistics.ts';
import { defaultMetric } from '../../src/core/saliency/registry.ts';
import { scoreLayers } from '../../src/core/saliency/saliency-matrix.ts';

const DEMO = new URL('../../public/demo/', import.meta.url);
const RATIOS = [0.25, 0.5] as const;
const SEQUENCE_LENGTH = 512;

/** What `results.json` holds of what is compared here; it was measured with transformers on the same files. */
interface Results {
  readonly domains: readonly string[];
  readonly unpruned: Readonly<Record<string, number>>;
  readonly ratios: Readonly<
    Record<
      string,
      { readonly reap_domain: Readonly<Record<string, number>>; readonly reap_all: Readonly<Record<string, number>> }
    >
  >;
  readonly saliency: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly count: Readonly<Record<string, readonly (readonly number[])[]>>;
}

/** The largest differences between our figures and those of `results.json`. */
export interface Comparison {
  /** Relative, over all layers and experts. */
  saliency: number;
  /** Layers whose removed experts differ although the scores at the cut are further apart than the tolerance. */
  wrongSets: number;
  /** Layers whose removed experts differ within the tolerance at the cut. */
  closeSets: number;
  /** Absolute, in nats a token. */
  loss: number;
}

export const TOLERANCE = 1e-3;

const results: Results = JSON.parse(readFileSync(new URL('results.json', DEMO), 'utf8'));

async function corpusOf(
  checkpoint: Checkpoint,
  domain: string,
  split: 'calibration' | 'evaluation',
): Promise<CorpusDomain> {
  const { tokenizer, chatTemplate } = await loadModelTokenizer(checkpoint.folder);
  const file = `${domain}.${split}.jsonl`;
  const documents = readDocuments(file, readFileSync(new URL(`corpora/${file}`, DEMO)));
  const corpus = await buildCorpus([{ name: domain, source: file, documents }], {
    tokenizer,
    chatTemplate,
    sequenceLength: SEQUENCE_LENGTH,
    vocabularySize: checkpoint.config.vocabularySize,
  });
  const [built] = corpus.domains;
  if (built === undefined) throw new Error(`no text in ${file}`);
  return built;
}

function planFor(checkpoint: Checkpoint, layers: readonly LayerStatistics[], ratio: number): PruningPlan {
  const model = { architecture: checkpoint.architecture.id, fingerprint: checkpoint.fingerprint, source: 'demo' };
  const domains = [{ name: 'demo', tokens: 1, sequences: 1, hash: '0'.repeat(64) }];
  return selectExperts({
    model,
    layers: summariseCheckpoint(checkpoint).moeLayers,
    scores: scoreLayers({ model, gate: 'model', domains, layers }, defaultMetric),
    metric: defaultMetric.id,
    size: { ratio },
    calibration: { domains, gate: 'model', statisticsHash: null },
  }).plan;
}

/** Their scores of a layer: of one domain as written, of several together from means and counts. */
function theirScores(domains: readonly string[], layer: number): number[] {
  const experts = results.saliency[domains[0] ?? '']?.[layer]?.length ?? 0;
  return Array.from({ length: experts }, (_, expert) => {
    const counts = domains.map((domain) => results.count[domain]?.[layer]?.[expert] ?? 0);
    const sum = domains.reduce(
      (total, domain, i) => total + (results.saliency[domain]?.[layer]?.[expert] ?? 0) * (counts[i] ?? 0),
      0,
    );
    return (
      sum /
      Math.max(
        1,
        counts.reduce((total, count) => total + count, 0),
      )
    );
  });
}

function compareSets(plan: PruningPlan, domains: readonly string[], comparison: Comparison): void {
  for (const { layer, drop, scores } of plan.layers) {
    const theirs = theirScores(domains, layer);
    for (const [expert, score] of scores.entries()) {
      const expected = theirs[expert] ?? 0;
      if (expected > 0) comparison.saliency = Math.max(comparison.saliency, Math.abs(score - expected) / expected);
    }
    const order = theirs
      .map((score, expert) => ({ score, expert }))
      .sort((a, b) => a.score - b.score || a.expert - b.expert);
    const removed = new Set(order.slice(0, drop.length).map(({ expert }) => expert));
    if (drop.every((expert) => removed.has(expert))) continue;
    const last = order[drop.length - 1]?.score ?? 0;
    const gap = ((order[drop.length]?.score ?? 0) - last) / last;
    if (gap < TOLERANCE) comparison.closeSets += 1;
    else comparison.wrongSets += 1;
  }
}

/**
 * Calibrates the demo on each of `domains` and, with `together`, on all of them at once; compares saliency, removed
 * experts and the losses of unpruned and pruned model with the figures that come with the model.
 */
export async function reproduce(
  domains: readonly string[],
  together: boolean,
  log: (line: string) => void = () => {},
): Promise<Comparison> {
  const checkpoint = await openCheckpoint(await openNodeFolder(new URL('model', DEMO).pathname));
  const backend = nodeBackend();
  const comparison: Comparison = { saliency: 0, wrongSets: 0, closeSets: 0, loss: 0 };
  const calibration = await Promise.all(domains.map((domain) => corpusOf(checkpoint, domain, 'calibration')));
  const evaluation = await Promise.all(domains.map((domain) => corpusOf(checkpoint, domain, 'evaluation')));

  const statistics: LayerStatistics[] = [];
  const sequences = calibration.map((corpus) => corpus.sequences);
  for await (const layer of calibrate({
    checkpoint,
    backend,
    domains: sequences,
    gate: 'model',
    control: new RunControl(),
  }))
    statistics.push(layer);
  const only = (index: number): LayerStatistics[] =>
    statistics.map((layer) => ({ ...layer, domains: layer.domains.filter((_, domain) => domain === index) }));
  const loss = async (indices: readonly number[], plan?: PruningPlan): Promise<number[]> => {
    const windows = indices.map((index) => evaluation[index]?.windows ?? []);
    const losses = await evaluate({
      checkpoint,
      backend,
      domains: windows,
      control: new RunControl(),
      ...(plan === undefined ? {} : { plan }),
    });
    return losses.map(({ meanNll }) => meanNll);
  };
  const note = (what: string, found: number, expected: number | undefined): void => {
    const difference = Math.abs(found - (expected ?? Number.NaN));
    comparison.loss = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(comparison.loss, difference);
    log(`  ${what.padEnd(34)} ${found.toFixed(4)}  theirs ${expected?.toFixed(4)}`);
  };

  const everyone = domains.map((_, index) => index);
  for (const [index, found] of (await loss(everyone)).entries())
    note(`${domains[index]}, unpruned`, found, results.unpruned[domains[index] ?? '']);
  for (const ratio of RATIOS) {
    for (const [index, domain] of domains.entries()) {
      const plan = planFor(checkpoint, only(index), ratio);
      compareSets(plan, [domain], comparison);
      const [found] = await loss([index], plan);
      note(
        `${domain}, ${ratio * 100} % by its own text`,
        found ?? Number.NaN,
        results.ratios[String(ratio)]?.reap_domain[domain],
      );
    }
    if (!together) continue;
    const plan = planFor(checkpoint, statistics, ratio);
    compareSets(plan, domains, comparison);
    for (const [index, found] of (await loss(everyone, plan)).entries()) {
      note(
        `${domains[index]}, ${ratio * 100} % by all text`,
        found,
        results.ratios[String(ratio)]?.reap_all[domains[index] ?? ''],
      );
    }
  }
  return comparison;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { saliency, wrongSets, closeSets, loss } = await reproduce(results.domains, true, (line) => console.log(line));
  console.log(
    `largest relative difference of saliency ${saliency.toExponential(1)}, of loss ${loss.toExponential(1)} nats`,
  );
  console.log(
    `layers with other experts removed: ${wrongSets}, and ${closeSets} more where the scores at the cut differ by less than ${TOLERANCE}`,
  );
  process.exitCode = saliency <= TOLERANCE && wrongSets === 0 && loss <= TOLERANCE ? 0 : 1;
}
