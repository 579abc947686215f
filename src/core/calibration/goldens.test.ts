import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodeBackend } from '../../cli/node-backend.ts';
import { MemoryFolder } from '../bytes/memory-folder.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { evaluate } from '../evaluation/evaluate.ts';
import type { PruningPlan } from '../plan/pruning-plan.ts';
import { combineDomains } from '../saliency/layer-statistics.ts';
import { saliencyMetrics } from '../saliency/registry.ts';
import { calibrate } from './calibrate.ts';
import { RunControl } from './run-control.ts';

const FIXTURE = new URL('../../../e2e/fixtures/qwen3-moe-tiny/', import.meta.url);
const GOLDENS = new URL('../../../../shared/goldens/', import.meta.url);

/** Figures of transformers and the reference implementation for one checkpoint and its sequences. */
interface Golden {
  /** Kept sets take as many from each group of the router; otherwise groups were not looked at. */
  readonly evenGroups?: boolean;
  readonly sequences: readonly Int32Array[];
  readonly meanNll: number;
  readonly layers: readonly { readonly layer: number; readonly model: Readonly<Record<string, readonly number[]>> }[];
  readonly pruned: Readonly<
    Record<string, { readonly retained: Readonly<Record<string, readonly number[]>>; readonly meanNll: number }>
  >;
}

const EXPECTED: readonly (readonly [metric: string, golden: string])[] = [
  ['reap', 'reap'],
  ['frequency', 'expert_frequency'],
  ['ean-sum', 'ean_sum'],
  ['weighted-ean-sum', 'weighted_ean_sum'],
  ['weighted-frequency', 'weighted_expert_frequency_sum'],
  ['max-activation', 'max_abs_activation'],
];

function json(url: URL): ReturnType<typeof JSON.parse> {
  return JSON.parse(readFileSync(url, 'utf8'));
}

/** `changes`: dotted paths of config.json with their old and new values. */
function folderAt(
  url: URL,
  config = 'config.json',
  changes: Readonly<Record<string, readonly [unknown, unknown]>> = {},
): MemoryFolder {
  const files = readdirSync(url).filter((name) => name.startsWith('model'));
  const bytes = new Map(files.map((name) => [name, new Uint8Array(readFileSync(new URL(name, url)))]));
  const text = readFileSync(new URL(config, url), 'utf8');
  const changed = JSON.parse(text);
  for (const [path, [, value]] of Object.entries(changes)) {
    const steps = path.split('.');
    const last = steps.pop() ?? '';
    steps.reduce((object, step) => object[step], changed)[last] = value;
  }
  const edited = Object.keys(changes).length === 0 ? text : JSON.stringify(changed);
  bytes.set('config.json', new TextEncoder().encode(edited));
  return new MemoryFolder('golden', bytes);
}

/** Other configurations of the same weights, each in both spellings of config.json. */
function variantsOf(families: readonly string[]): [name: string, variant: string, config: string][] {
  return families.flatMap((name) =>
    (json(new URL(`${name}/golden.json`, OWN_GOLDENS)).variants ?? []).flatMap((entry: { name: string }) =>
      ['config.json', 'config.v4.json'].map((config) => [name, entry.name, config]),
    ),
  );
}

function variantGolden(figures: ReturnType<typeof json>): Golden {
  return {
    evenGroups: true,
    sequences: figures.input_ids.map((ids: number[]) => Int32Array.from(ids)),
    meanNll: figures.baseline.mean_nll,
    layers: figures.layers,
    pruned: Object.fromEntries(
      Object.entries<{ retained: Record<string, number[]>; eval: { mean_nll: number } }>(figures.pruned ?? {}).map(
        ([ratio, { retained, eval: measured }]) => [ratio, { retained, meanNll: measured.mean_nll }],
      ),
    ),
  };
}

function fixtureGolden(): Golden {
  const { input_ids, mean_nll, layers, pruned } = json(new URL('expected.json', FIXTURE));
  return {
    sequences: input_ids.map((ids: number[]) => Int32Array.from(ids)),
    meanNll: mean_nll,
    layers: layers.map(({ layer, ...model }: Record<string, number[]> & { layer: number }) => ({ layer, model })),
    pruned: Object.fromEntries(
      ['25', '50'].map((ratio) => [ratio, { retained: pruned[ratio].retained, meanNll: pruned[ratio].mean_nll }]),
    ),
  };
}

function sharedGolden(name: string, ragged = false, at = GOLDENS): Golden {
  const golden = json(new URL(`${name}/${ragged ? 'golden_ragged' : 'golden'}.json`, at));
  const ids = json(new URL(`${name}/input_ids.json`, at));
  return {
    sequences: ids[ragged ? 'ragged_input_ids' : 'input_ids'].map((sequence: number[]) => Int32Array.from(sequence)),
    meanNll: golden.baseline.mean_nll,
    layers: golden.layers,
    pruned: ragged
      ? {}
      : Object.fromEntries(
          ['25', '50'].map((ratio) => [
            ratio,
            { retained: golden.pruned[ratio].retained, meanNll: golden.pruned[ratio].eval.mean_nll },
          ]),
        ),
  };
}

function planOf(checkpoint: Checkpoint, retained: Readonly<Record<string, readonly number[]>>): PruningPlan {
  const { experts } = checkpoint.config;
  return {
    model: { architecture: checkpoint.architecture.id, fingerprint: checkpoint.fingerprint, source: 'golden' },
    metric: 'reap',
    policy: 'uniform',
    ratio: 0.5,
    calibration: { domains: [], gate: 'model', statisticsHash: null },
    nextToken: 'prune',
    layers: Object.entries(retained).map(([layer, keep]) => ({
      layer: Number(layer),
      experts,
      keep,
      drop: Array.from({ length: experts }, (_, expert) => expert).filter((expert) => !keep.includes(expert)),
      scores: [],
      reasons: new Map(),
    })),
  };
}

/** Saliency within 1e-4, counts and kept sets equal, losses within 1e-3: the whole check for one checkpoint. */
async function check(folder: MemoryFolder, golden: Golden): Promise<void> {
  const checkpoint = await openCheckpoint(folder);
  const backend = nodeBackend(1);
  const domains = [golden.sequences];
  let layers = 0;
  for await (const statistics of calibrate({
    checkpoint,
    backend,
    domains,
    gate: 'model',
    control: new RunControl(),
  })) {
    layers += 1;
    const expected =
      golden.layers.find(({ layer }) => layer === statistics.layer)?.model ??
      expect.fail(`no layer ${statistics.layer}`);
    const combined = combineDomains(statistics);
    for (const [metric, name] of EXPECTED) {
      const scores = saliencyMetrics.get(metric)?.score(combined) ?? expect.fail(`no metric ${metric}`);
      for (const [expert, value] of (expected[name] ?? expect.fail(`no ${name}`)).entries()) {
        const error = Math.abs((scores[expert] ?? Number.NaN) - value);
        expect(error, `layer ${statistics.layer} expert ${expert} ${metric}`).toBeLessThanOrEqual(
          name === 'expert_frequency' ? 0 : 1e-4 * value,
        );
      }
    }
    const order = [...(saliencyMetrics.get('reap')?.score(combined) ?? [])]
      .map((score, expert) => ({ score, expert }))
      .sort((a, b) => a.score - b.score);
    for (const [ratio, { retained }] of Object.entries(golden.pruned)) {
      const groups = golden.evenGroups === true ? (checkpoint.config.router.groups?.count ?? 1) : 1;
      const drop = Math.floor((order.length * Number(ratio)) / 100 / groups);
      const keep = Array.from({ length: groups }, (_, group) =>
        order.filter(({ expert }) => Math.floor((expert * groups) / order.length) === group).slice(drop),
      )
        .flat()
        .map(({ expert }) => expert)
        .sort((a, b) => a - b);
      expect(keep, `kept at ${ratio} % in layer ${statistics.layer}`).toEqual(retained[statistics.layer]);
    }
  }
  expect(layers).toBe(golden.layers.length);
  const loss = async (plan?: PruningPlan): Promise<number | undefined> =>
    (
      await evaluate({
        checkpoint,
        backend,
        domains,
        control: new RunControl(),
        ...(plan === undefined ? {} : { plan }),
      })
    )[0]?.meanNll;
  expect(await loss()).toBeCloseTo(golden.meanNll, 5);
  for (const { retained, meanNll } of Object.values(golden.pruned)) {
    expect(await loss(planOf(checkpoint, retained)), 'masked = pruned and reloaded by transformers').toBeCloseTo(
      meanNll,
      5,
    );
  }
}

/** Families made by tools/goldens/families/generate.py, in the same manner. */
const OWN_GOLDENS = new URL('../../../tools/goldens/data/', import.meta.url);
const OWN_FAMILIES = readdirSync(OWN_GOLDENS);

const AT_HAND = existsSync(GOLDENS);
const FAMILIES = AT_HAND
  ? readdirSync(GOLDENS).filter((name) => existsSync(new URL(`${name}/golden.json`, GOLDENS)))
  : [];

describe('against transformers and the reference implementation', () => {
  it('Qwen3-MoE in bfloat16, one file', () => check(folderAt(FIXTURE), fixtureGolden()));

  it.each(OWN_FAMILIES.flatMap((name) => ['config.json', 'config.v4.json'].map((config) => [name, config])))(
    '%s, %s',
    (name = '', config) =>
      check(folderAt(new URL(`${name}/`, OWN_GOLDENS), config), sharedGolden(name, false, OWN_GOLDENS)),
  );

  it.each(variantsOf(OWN_FAMILIES))('%s %s, %s', async (name, variant, config) => {
    const folder = new URL(`${name}/`, OWN_GOLDENS);
    const golden = json(new URL('golden.json', folder));
    const figures = golden.variants.find((entry: { name: string }) => entry.name === variant);
    const changes = config === 'config.json' ? figures.config_changes : figures.config_v4_changes;
    await check(folderAt(folder, config, changes), variantGolden(figures));
  });

  describe.skipIf(!AT_HAND)('every family', () => {
    it.each(FAMILIES.flatMap((name) => ['config.json', 'config.v4.json'].map((config) => [name, config])))(
      '%s, %s',
      (name = '', config) => check(folderAt(new URL(`${name}/`, GOLDENS), config), sharedGolden(name)),
    );
    it('sequences of 1 to 64 tokens', () =>
      check(folderAt(new URL('qwen3_moe/', GOLDENS)), sharedGolden('qwen3_moe', true)));
  });
});
