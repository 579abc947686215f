import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ByteSource } from '../bytes/byte-source.ts';
import type { CheckpointSummary } from '../checkpoint/summary.ts';
import { parsePlan, serialisePlan } from '../plan/plan-file.ts';
import { groupedLayer, summaryOf } from '../plan/selection.fixture.ts';
import { selectExperts } from '../plan/selection.ts';
import { mergeStatistics } from '../saliency/merge-statistics.ts';
import { reap } from '../saliency/reap.ts';
import { saliencyMetrics } from '../saliency/registry.ts';
import { scoreLayers } from '../saliency/saliency-matrix.ts';
import { type CalibrationStatistics, parseStatistics, serialiseStatistics } from '../saliency/statistics-file.ts';
import { fixtureSource, jsonSource, modelOf, profiledLayer } from './foreign-files.fixture.ts';
import { readImport } from './read-import.ts';

async function statisticsFrom(
  source: ByteSource,
  summary: CheckpointSummary,
): Promise<{ statistics: CalibrationStatistics; notes: string }> {
  const imported = await readImport(source, summary);
  if (imported.kind !== 'statistics') throw new Error('no statistics');
  return { statistics: imported.statistics, notes: imported.notes.join(' ') };
}

async function planFrom(value: unknown, summary: CheckpointSummary) {
  const imported = await readImport(jsonSource('kept.json', value), summary);
  if (imported.kind !== 'plan') throw new Error('no plan');
  return { plan: imported.plan, notes: imported.notes.join(' ') };
}

/** Metrics that can be made of the statistics. */
function metricsOf(statistics: CalibrationStatistics): string[] {
  return saliencyMetrics
    .all()
    .filter((metric) => {
      try {
        return scoreLayers(statistics, metric).length > 0;
      } catch {
        return false;
      }
    })
    .map(({ id }) => id);
}

describe('observer files of the reference', () => {
  const model = modelOf([1, 2], 8);
  const kept = JSON.parse(readFileSync(new URL('fixtures/observer-kept.json', import.meta.url), 'utf8'));

  it.each(['renorm_true', 'renorm_false'])('%s: the half that the reference keeps, layer for layer', async (name) => {
    const { statistics } = await statisticsFrom(fixtureSource(`observer-${name}.pt`), model);
    const { plan } = selectExperts({
      model: statistics.model,
      layers: model.moeLayers,
      scores: scoreLayers(statistics, reap),
      metric: 'reap',
      size: { ratio: 0.5 },
      calibration: { domains: statistics.domains, gate: statistics.gate, statisticsHash: null },
    });
    expect(Object.fromEntries(plan.layers.map(({ layer, keep }) => [layer, keep]))).toEqual(kept[name]);
  });

  it('takes sums as they are, and says what is missing', async () => {
    const { statistics, notes } = await statisticsFrom(fixtureSource('observer-renorm_true.pt'), model);
    const [domain] = statistics.layers[0]?.domains ?? [];
    expect([...(domain?.count ?? [])]).toEqual([54, 80, 54, 74, 68, 74, 90, 82]);
    expect(domain?.normSum[0]).toBe(232.85624504089355);
    expect(domain?.gateNormSum[0]).toBe(128.5565595626831);
    expect(statistics).toMatchObject({
      gate: 'reference',
      domains: [{ name: 'observer-renorm_true.pt', tokens: 288, sequences: 0 }],
      imported: { lacks: ['gateNormSquaredSum'] },
    });
    expect(metricsOf(statistics)).toEqual(saliencyMetrics.ids());
    expect(notes).toContain('signed');
    expect(notes).not.toContain('not divided by their sum');
  });

  it('makes sums of means where a file holds means alone', async () => {
    const { statistics } = await statisticsFrom(fixtureSource('observer-means.pt'), model);
    const { statistics: whole } = await statisticsFrom(fixtureSource('observer-renorm_true.pt'), model);
    for (const [row, { domains }] of statistics.layers.entries()) {
      const expected = whole.layers[row]?.domains[0];
      for (const field of ['normSum', 'gateNormSum'] as const) {
        domains[0]?.[field].forEach((value, expert) => {
          const relative = value / (expected?.[field][expert] ?? Number.NaN);
          expect(relative, `${field} ${expert}`).toBeCloseTo(1, 6);
        });
      }
    }
  });

  it('says where gates were not renormalised', async () => {
    const { notes } = await statisticsFrom(fixtureSource('observer-renorm_false.pt'), model);
    expect(notes).toContain('not divided by their sum');
  });

  it('is refused on a model of other layers, experts or top-k', async () => {
    const read = (summary: CheckpointSummary) => readImport(fixtureSource('observer-renorm_true.pt'), summary);
    for (const summary of [modelOf([0, 1], 16), modelOf([1, 2, 3], 8), modelOf([3, 5], 8), modelOf([1, 2], 8, 3)]) {
      await expect(read(summary)).rejects.toMatchObject({ family: 'plan', code: 'other-model' });
    }
  });
});

describe('expert_stats.json of llama-expert-profile', () => {
  const stats = { '0': profiledLayer([4, 3, 3, 0]), '1': profiledLayer([1, 2, 3, 4]) };
  const read = (value: unknown, summary = modelOf([0, 1], 4)) =>
    statisticsFrom(jsonSource('expert_stats.json', value), summary);

  it('becomes sums, without the metrics that it cannot give', async () => {
    const { statistics, notes } = await read(stats);
    const scores = scoreLayers(statistics, reap).map((layer) => [...layer.scores]);
    expect(scores).toEqual([
      [0.5, 1, 1.5, 0],
      [0.5, 1, 1.5, 2],
    ]);
    expect(metricsOf(statistics)).toEqual(saliencyMetrics.ids().filter((id) => id !== 'max-activation'));
    expect(() =>
      scoreLayers(statistics, saliencyMetrics.all().find(({ id }) => id === 'max-activation') ?? reap),
    ).toThrow('Largest activation needs the largest activations, which llama-expert-profile does not measure.');
    expect(notes).toContain('six digits');
  });

  it('survives the statistics file and a merge, which keep what is missing', async () => {
    const { statistics } = await read(stats);
    expect(parseStatistics(serialiseStatistics(statistics))).toEqual(statistics);
    const { statistics: other } = await read({ '0': profiledLayer([2, 2, 0, 0]), '1': profiledLayer([2, 1, 1, 0]) });
    const merged = await mergeStatistics([statistics, other]);
    expect(merged.imported).toEqual(statistics.imported);
    expect(merged.domains).toMatchObject([{ tokens: 7 }]);
    await expect(mergeStatistics([statistics, statistics])).rejects.toMatchObject({ code: 'text-counted-twice' });
  });

  it('says when its last layer saw fewer tokens, and where room for experts was left', async () => {
    const { statistics, notes } = await read({
      '0': profiledLayer([4, 3, 3, 0, 0, 0]),
      '1': profiledLayer([1, 1, 0, 0, 0, 0]),
    });
    expect(statistics.layers[1]?.domains[0]?.tokens).toBe(1);
    expect(notes).toContain('Layer 1 was measured on 1 of 5 tokens');
    expect(notes).toContain('room for 6 experts');
    expect(parseStatistics(serialiseStatistics(statistics))).toEqual(statistics);
  });

  it.each([
    [
      'an expert beyond the model’s',
      { '0': profiledLayer([4, 3, 2, 0, 1]), '1': profiledLayer([1, 2, 3, 4]) },
      'other-model',
    ],
    ['too few experts', { '0': profiledLayer([4, 4]), '1': profiledLayer([4, 4]) }, 'other-model'],
    ['a layer too few', { '0': profiledLayer([4, 3, 3, 0]) }, 'other-model'],
    ['other layers', { '0': stats['0'], '7': stats['1'] }, 'other-model'],
    ['another top-k', { '0': profiledLayer([4, 3, 3, 0], 1), '1': profiledLayer([1, 2, 3, 4], 1) }, 'other-model'],
    ['a score too few', { '0': { ...stats['0'], reap: [1, 2, 3] }, '1': stats['1'] }, 'invalid-import'],
    ['a negative mean', { '0': { ...stats['0'], ean_mean: [1, -2, 3, 4] }, '1': stats['1'] }, 'invalid-import'],
    [
      'half a token',
      { '0': { ...stats['0'], activation_counts: [4, 2.5, 3.5, 0] }, '1': stats['1'] },
      'invalid-import',
    ],
    ['frequencies alone', { '0': { activation_counts: [4, 3, 3, 0] }, '1': stats['1'] }, 'invalid-import'],
  ])('with %s is refused', async (_what, value, code) => {
    await expect(read(value)).rejects.toMatchObject({ family: 'plan', code });
  });
});

describe('files of llm-compressor', () => {
  it('a report gives REAP and frequency, for layers in order', async () => {
    const report = {
      saliency: [
        [0.5, 1, 1.5, 0],
        [3, 2, 1, 4],
      ],
      count: [
        [4, 3, 3, 0],
        [1, 2, 3, 4],
      ],
    };
    const { statistics, notes } = await statisticsFrom(jsonSource('report.json', report), modelOf([2, 5], 4));
    expect(metricsOf(statistics)).toEqual(['reap', 'frequency', 'weighted-ean-sum']);
    expect(scoreLayers(statistics, reap).map(({ layer, scores }) => [layer, ...scores])).toEqual([
      [2, 0.5, 1, 1.5, 0],
      [5, 3, 2, 1, 4],
    ]);
    expect(notes).toContain('read as layers 2 to 5');
  });

  it.each([
    ['modules', { 'model.layers.2.mlp': [3, 1], 'model.layers.5.mlp': [0, 2] }],
    ['layer numbers', { '5': [0, 2], '2': [1, 3] }],
    ['a wrapper', { retained_experts: { 'model.layers.2.mlp': [1, 3], 'model.layers.5.mlp': [0, 2] } }],
    [
      'lists in order',
      [
        [1, 3],
        [2, 0],
      ],
    ],
  ])('retained experts by %s become a plan', async (_what, value) => {
    const summary = modelOf([2, 5], 4);
    const { plan, notes } = await planFrom(value, summary);
    expect(plan).toMatchObject({ metric: 'imported', ratio: 0.5, model: { fingerprint: summary.fingerprint } });
    expect(plan.layers.map(({ layer, keep, drop }) => ({ layer, keep, drop }))).toEqual([
      { layer: 2, keep: [1, 3], drop: [0, 2] },
      { layer: 5, keep: [0, 2], drop: [1, 3] },
    ]);
    expect(parsePlan(serialisePlan(plan))).toEqual(plan);
    expect(notes).toContain('no scores');
  });

  it.each([
    ['an expert twice', { '2': [1, 1], '5': [0, 2] }, 'invalid-import'],
    ['an empty list', { '2': [], '5': [0, 2] }, 'invalid-import'],
    ['a layer twice', { 'a.layers.2.mlp': [1], '2': [1], '5': [0] }, 'invalid-import'],
    ['an expert that is not there', { '2': [1, 4], '5': [0, 2] }, 'other-model'],
    ['a layer too many', { '2': [1, 3], '5': [0, 2], '6': [0, 2] }, 'other-model'],
    ['fewer than top-k', { '2': [1], '5': [0] }, 'fewer-than-top-k'],
  ])('with %s are refused', async (_what, value, code) => {
    await expect(planFrom(value, modelOf([2, 5], 4))).rejects.toMatchObject({ family: 'plan', code });
  });

  it('must keep as many in every group of a router that has groups', async () => {
    const summary = summaryOf([groupedLayer(0, 8, { count: 2, chosen: 1, least: 2 }, 2)]);
    expect((await planFrom([[0, 1, 4, 5]], summary)).plan.layers[0]?.keep).toEqual([0, 1, 4, 5]);
    await expect(planFrom([[0, 1, 2, 5]], summary)).rejects.toMatchObject({ code: 'uneven-groups' });
  });
});

it.each([
  ['no JSON', '{"0": nan', 'invalid-import'],
  ['a config', { model_type: 'qwen3_moe' }, 'unknown-import'],
  ['a number', '7', 'unknown-import'],
])('%s is refused with what can be imported', async (_what, value, code) => {
  await expect(readImport(jsonSource('x.json', value), modelOf([0], 4))).rejects.toMatchObject({ code });
});
