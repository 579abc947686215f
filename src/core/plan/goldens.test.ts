import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ExpertGroups } from '../routing/router.ts';
import { emptyDomainStatistics, type LayerStatistics } from '../saliency/layer-statistics.ts';
import { saliencyMetrics } from '../saliency/registry.ts';
import { scoreLayers } from '../saliency/saliency-matrix.ts';
import { fakeHash } from '../saliency/statistics.fixture.ts';
import { type CalibrationStatistics, parseStatistics, serialiseStatistics } from '../saliency/statistics-file.ts';
import { findSuperExperts } from '../saliency/super-experts.ts';
import { moeLayer } from './selection.fixture.ts';
import { selectExperts } from './selection.ts';

// The reference's figures lie beside the repository where they are at hand; a fresh clone tests by the numbers copied
// into the neighbouring tests.
const GOLDENS = new URL('../../../../shared/goldens/', import.meta.url);

interface GoldenSums {
  readonly expert_frequency: number[];
  readonly ean_sum: number[];
  readonly ean_mean: number[];
  readonly weighted_expert_frequency_sum: number[];
  readonly weighted_ean_sum: number[];
  readonly weighted_ean_sq_sum: number[];
  readonly reap: number[];
  readonly max_activations: number[];
  readonly max_abs_activation: number[];
}

interface GoldenLayer {
  readonly layer: number;
  readonly num_experts: number;
  readonly top_k: number;
  readonly tokens: number;
  readonly router: {
    readonly selected: number[][];
    readonly weights: number[][];
    readonly logits: { readonly b64: string };
  };
  readonly model: GoldenSums;
  readonly reference: {
    readonly independent_of_renorm: { readonly expert_frequency: number[] };
    readonly renorm_true: { readonly weighted_ean_sum: number[] };
    readonly renorm_false: { readonly weighted_ean_sum: number[] };
  };
}

interface Golden {
  readonly layers: GoldenLayer[];
  readonly retained_by_metric: Record<
    string,
    Record<string, Record<string, { pruned: number[]; boundary_relative_gap: number }>>
  >;
  readonly pruned: Record<
    string,
    {
      retained: Record<string, number[]>;
      n_pruned_per_layer: number;
      variants: Record<string, { retained: Record<string, number[]> }>;
    }
  >;
  readonly reference_super_experts: { include_last_layers_false: number[][]; include_last_layers_true: number[][] };
}

function read(name: string): Golden {
  return JSON.parse(readFileSync(new URL(`${name}/golden.json`, GOLDENS), 'utf8'));
}

/** Statistics from the golden's own sums, so that scoring and selection are tested apart from the engine. */
function statisticsOf(
  golden: Golden,
  change: (layer: GoldenLayer) => Partial<GoldenSums> = () => ({}),
): CalibrationStatistics {
  return {
    model: { architecture: 'qwen3_moe', fingerprint: fakeHash('f'), source: 'golden' },
    gate: 'model',
    domains: [{ name: 'golden', tokens: golden.layers[0]?.tokens ?? 0, sequences: 6, hash: fakeHash('a') }],
    layers: golden.layers.map((layer): LayerStatistics => {
      const sums = { ...layer.model, ...change(layer) };
      const statistics = emptyDomainStatistics(layer.num_experts);
      statistics.tokens = layer.tokens;
      statistics.count.set(sums.expert_frequency);
      statistics.normSum.set(sums.ean_sum);
      statistics.gateSum.set(sums.weighted_expert_frequency_sum);
      statistics.gateNormSum.set(sums.weighted_ean_sum);
      statistics.gateNormSquaredSum.set(sums.weighted_ean_sq_sum);
      statistics.maxAbs.set(sums.max_abs_activation);
      return { layer: layer.layer, experts: layer.num_experts, topK: layer.top_k, domains: [statistics] };
    }),
  };
}

const EQUAL_GROUPS = 'model.reap, same number removed in each group';

function planOf(statistics: CalibrationStatistics, metricId: string, ratio: number, groups?: ExpertGroups) {
  const metric = saliencyMetrics.get(metricId);
  if (metric === undefined) throw new Error(metricId);
  return selectExperts({
    model: statistics.model,
    layers: statistics.layers.map(({ layer, experts, topK }) => ({
      ...moeLayer(layer, experts, topK),
      ...(groups === undefined ? {} : { groups }),
    })),
    scores: scoreLayers(statistics, metric),
    metric: metricId,
    size: { ratio },
    calibration: { domains: statistics.domains, gate: statistics.gate, statisticsHash: null },
  }).plan;
}

/** The reference looks at its own choice of experts, which with another router is not the model's. */
function referenceSums(renorm: 'renorm_true' | 'renorm_false'): (layer: GoldenLayer) => Partial<GoldenSums> {
  return ({ reference }) => ({
    weighted_ean_sum: reference[renorm].weighted_ean_sum,
    expert_frequency: reference.independent_of_renorm.expert_frequency,
  });
}

/** The golden's name of a list → our metric, and what stands in for the model's own sums. */
const LISTS: readonly (readonly [string, string, (layer: GoldenLayer) => Partial<GoldenSums>])[] = [
  ['model.reap', 'reap', () => ({})],
  ['reference.renorm_true.reap', 'reap', referenceSums('renorm_true')],
  ['reference.renorm_false.reap', 'reap', referenceSums('renorm_false')],
  ['model.weighted_ean_sum', 'weighted-ean-sum', () => ({})],
  ['model.ean_sum', 'ean-sum', () => ({})],
  ['model.ean_mean', 'ean-mean', () => ({})],
  ['model.expert_frequency', 'frequency', () => ({})],
  // That list ranks by the reference's signed maximum; ours is absolute.
  ['model.max_activations', 'max-activation', ({ model }) => ({ max_abs_activation: model.max_activations })],
];

const AT_HAND = existsSync(GOLDENS);

describe.skipIf(!AT_HAND)('goldens', () => {
  for (const name of AT_HAND
    ? readdirSync(GOLDENS).filter((folder) => existsSync(new URL(`${folder}/golden.json`, GOLDENS)))
    : []) {
    describe(name, () => {
      const golden = read(name);

      it('scores as the reference does', () => {
        const statistics = statisticsOf(golden);
        for (const [id, key] of [
          ['reap', 'reap'],
          ['ean-mean', 'ean_mean'],
        ] as const) {
          const metric = saliencyMetrics.get(id);
          const rows = metric === undefined ? [] : scoreLayers(statistics, metric);
          expect(rows).toHaveLength(golden.layers.length);
          for (const [row, { scores }] of rows.entries()) {
            for (const [expert, score] of scores.entries())
              expect(score).toBeCloseTo(golden.layers[row]?.model[key][expert] ?? NaN, 12);
          }
        }
      });

      it.each(LISTS)('drops what the list %s says', (list, metric, change) => {
        const statistics = statisticsOf(golden, change);
        for (const [percent, layers] of Object.entries(golden.retained_by_metric[list] ?? {})) {
          const plan = planOf(statistics, metric, Number(percent) / 100);
          expect(Object.keys(layers)).toHaveLength(plan.layers.length);
          for (const { layer, drop, scores, reasons } of plan.layers) {
            const expected = layers[layer];
            if (expected?.boundary_relative_gap === 0) {
              // An exact tie, where the reference drops the lower index and the studio keeps it.
              const sorted = (experts: readonly number[]) => experts.map((expert) => scores[expert] ?? NaN).sort();
              expect(sorted(drop)).toEqual(sorted(expected.pruned));
              expect([...reasons.values()]).toContain('tie');
            } else expect(drop).toEqual(expected?.pruned);
          }
        }
      });

      it('keeps what was exported', () => {
        for (const [percent, { retained, n_pruned_per_layer }] of Object.entries(golden.pruned)) {
          const plan = planOf(statisticsOf(golden), 'reap', Number(percent) / 100);
          for (const { layer, keep, drop } of plan.layers) {
            expect(keep).toEqual(retained[layer]);
            expect(drop).toHaveLength(n_pruned_per_layer);
          }
        }
      });

      it('takes as many from each group of a grouped router', () => {
        for (const [percent, { variants }] of Object.entries(golden.pruned)) {
          const even = variants[EQUAL_GROUPS];
          if (even === undefined) return;
          const count = name === 'deepseek_v3' ? 4 : 2;
          const grouped = { count, chosen: count / 2, least: name === 'deepseek_v3' ? 2 : 1 };
          const plan = planOf(statisticsOf(golden), 'reap', Number(percent) / 100, grouped);
          for (const { layer, keep, scores } of plan.layers) {
            // Experts that no token chose are ties at 0, of which the reference drops the lower index first.
            const sorted = (experts: readonly number[] = []) => experts.map((expert) => scores[expert] ?? NaN).sort();
            const tied = scores.filter((score) => score === 0).length > 1;
            if (tied) expect(sorted(keep)).toEqual(sorted(even.retained[layer]));
            else expect(keep).toEqual(even.retained[layer]);
          }
        }
      });

      // The reference takes its rows for layers and its maxima signed: alike where all layers have experts and outliers are positive.
      it.runIf(name.startsWith('qwen3_moe'))('finds the same super experts', () => {
        const { layers } = statisticsOf(golden);
        const pairs = (scope: 'all' | 'first-three-quarters') =>
          findSuperExperts(layers, scope).experts.map(({ layer, expert }) => [layer, expert]);
        expect(pairs('first-three-quarters')).toEqual(golden.reference_super_experts.include_last_layers_false);
        expect(pairs('all')).toEqual(golden.reference_super_experts.include_last_layers_true);
      });

      it('survives the statistics file', () => {
        const statistics = statisticsOf(golden);
        expect(parseStatistics(serialiseStatistics(statistics))).toEqual(statistics);
      });
    });
  }
});
