import { route } from '../routing/route.ts';
import { softmaxRouterOf } from '../routing/router.fixture.ts';
import {
  addDomainStatistics,
  type DomainStatistics,
  emptyDomainStatistics,
  type LayerStatistics,
} from './layer-statistics.ts';
import type { CalibrationStatistics } from './statistics-file.ts';

/** A sha256 look-alike made of one hexadecimal digit. */
export function fakeHash(digit: string): string {
  return digit.repeat(64);
}

/** Observes tokens one by one in the plainest way there is: the oracle of the small cases. */
export function observe(
  logits: readonly (readonly number[])[],
  outputs: readonly (readonly (readonly number[])[])[],
  renormalise: boolean,
): DomainStatistics {
  const experts = logits[0]?.length ?? 0;
  const { selected, gates } = route(softmaxRouterOf(experts, 2, renormalise), {
    logits: Float32Array.from(logits.flat()),
    tokens: logits.length,
  });
  const statistics = emptyDomainStatistics(experts);
  statistics.tokens = logits.length;
  for (let pair = 0; pair < selected.length; pair++) {
    const expert = selected[pair] ?? 0;
    const gate = gates[pair] ?? 0;
    const output = outputs[Math.floor(pair / 2)]?.[expert] ?? [];
    const norm = Math.hypot(...output);
    add(statistics.count, expert, 1);
    add(statistics.normSum, expert, norm);
    add(statistics.gateSum, expert, gate);
    add(statistics.gateNormSum, expert, gate * norm);
    add(statistics.gateNormSquaredSum, expert, (gate * norm) ** 2);
    statistics.maxAbs[expert] = Math.max(statistics.maxAbs[expert] ?? 0, ...output.map(Math.abs));
  }
  return statistics;
}

function add(values: Float64Array, index: number, value: number): void {
  values[index] = (values[index] ?? 0) + value;
}

/** Four tokens over four experts, top 2, outputs of two hidden units; the last token is padding. */
export const FOUR_TOKENS = {
  logits: [
    [2, 1, 0, -1],
    [0, 3, 1, -2],
    [1, 0.5, 2, -3],
    [9, 8, -9, -9],
  ],
  /** [token][expert][hidden] */
  outputs: [
    [
      [3, 4],
      [0, 2],
      [1, 0],
      [7, 7],
    ],
    [
      [1, 0],
      [5, 12],
      [8, -15],
      [7, 7],
    ],
    [
      [6, 8],
      [0, 1],
      [0, -7],
      [7, 7],
    ],
    [
      [100, 0],
      [100, 0],
      [100, 0],
      [7, 7],
    ],
  ],
} as const;

/** Statistics of one text: `tokens` routed to `topK` of `experts` in each layer by a formula, all sums whole numbers. */
export function wholeNumberStatistics(
  layers: readonly number[],
  domain: { readonly name: string; readonly tokens: number; readonly hash: string },
  experts = 4,
): CalibrationStatistics {
  const topK = 2;
  return {
    model: { architecture: 'qwen3_moe', fingerprint: fakeHash('f'), source: 'tiny' },
    gate: 'model',
    domains: [{ ...domain, sequences: 1 }],
    layers: layers.map((layer): LayerStatistics => {
      const statistics = emptyDomainStatistics(experts);
      statistics.tokens = domain.tokens;
      for (let pair = 0; pair < domain.tokens * topK; pair++) {
        const expert = (pair * 7 + layer) % experts;
        add(statistics.count, expert, 1);
        for (const [field, value] of [
          ['normSum', 5],
          ['gateSum', 2],
          ['gateNormSum', 3],
          ['gateNormSquaredSum', 11],
        ] as const) {
          add(statistics[field], expert, value + (pair % 3));
        }
        statistics.maxAbs[expert] = Math.max(statistics.maxAbs[expert] ?? 0, pair % 13);
      }
      return { layer, experts, topK, domains: [statistics] };
    }),
  };
}

/** One layer of one domain around given statistics. */
export function oneLayer(statistics: DomainStatistics, topK = 2, layer = 0): CalibrationStatistics {
  return {
    model: { architecture: 'qwen3_moe', fingerprint: fakeHash('f'), source: 'tiny' },
    gate: 'model',
    domains: [{ name: 'text', tokens: statistics.tokens, sequences: 1, hash: fakeHash('a') }],
    layers: [{ layer, experts: statistics.count.length, topK, domains: [statistics] }],
  };
}

/** The sum of two statistics. */
export function sumOf(a: DomainStatistics, b: DomainStatistics): DomainStatistics {
  const total = emptyDomainStatistics(a.count.length);
  addDomainStatistics(total, a);
  addDomainStatistics(total, b);
  return total;
}
