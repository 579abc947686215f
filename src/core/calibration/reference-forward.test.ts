import { describe, expect, it } from 'vitest';
import { nodeBackend } from '../../cli/node-backend.ts';
import { decodeToFloat32 } from '../base/number-formats.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { TINY_SHAPE, tinyCheckpoint } from '../checkpoint/tiny-checkpoint.fixture.ts';
import { evaluate } from '../evaluation/evaluate.ts';
import { collect, DOMAINS } from './calibrate.fixture.ts';
import { type ReferenceModel, referenceForward } from './reference-forward.fixture.ts';
import { RunControl } from './run-control.ts';

async function referenceModel(): Promise<ReferenceModel> {
  const checkpoint = await openCheckpoint(tinyCheckpoint());
  const tensors = new Map<string, { values: Float32Array; shape: readonly number[] }>();
  for (const { name, file, offset, byteLength, shape } of checkpoint.tensors.values()) {
    const bytes = await (await checkpoint.folder.open(file)).read(offset, byteLength);
    tensors.set(name, { values: decodeToFloat32(bytes, 'F32'), shape });
  }
  return {
    tensor: (name) => tensors.get(name) ?? expect.fail(`no tensor ${name}`),
    layers: TINY_SHAPE.layers,
    isMoe: (layer) => !TINY_SHAPE.denseLayers.includes(layer),
    heads: TINY_SHAPE.heads,
    keyValueHeads: TINY_SHAPE.keyValueHeads,
    headDim: TINY_SHAPE.headDim,
    topK: TINY_SHAPE.topK,
    renormalise: true,
    epsilon: 1e-6,
    theta: 10_000,
  };
}

describe('calibrate against plain f64 loops', () => {
  it('agrees on every statistic, with dense layers, two domains and uneven sequences', async () => {
    const model = await referenceModel();
    const layers = await collect({ checkpoint: await openCheckpoint(tinyCheckpoint()) });
    expect(layers.map(({ layer }) => layer)).toEqual([0, 2]);
    for (const { layer, domains } of layers) {
      for (const [d, statistics] of domains.entries()) {
        const pairs = (DOMAINS[d] ?? [])
          .flatMap((ids) => referenceForward(model, [...ids]).pairs)
          .filter((pair) => pair.layer === layer);
        for (let expert = 0; expert < TINY_SHAPE.experts; expert++) {
          const mine = pairs.filter((pair) => pair.expert === expert);
          const sum = (of: (pair: (typeof mine)[number]) => number): number =>
            mine.reduce((total, pair) => total + of(pair), 0);
          expect(statistics.count[expert]).toBe(mine.length);
          expect(statistics.normSum[expert]).toBeCloseTo(
            sum(({ norm }) => norm),
            4,
          );
          expect(statistics.gateSum[expert]).toBeCloseTo(
            sum(({ gate }) => gate),
            5,
          );
          expect(statistics.gateNormSum[expert]).toBeCloseTo(
            sum(({ gate, norm }) => gate * norm),
            4,
          );
          expect(statistics.gateNormSquaredSum[expert]).toBeCloseTo(
            sum(({ gate, norm }) => (gate * norm) ** 2),
            4,
          );
          expect(statistics.maxAbs[expert]).toBeCloseTo(Math.max(0, ...mine.map(({ maxAbs }) => maxAbs)), 5);
        }
      }
    }
  });

  it('gives the losses of the model, and of the model with experts masked', async () => {
    const model = await referenceModel();
    const checkpoint = await openCheckpoint(tinyCheckpoint());
    const drop = new Map([
      [0, [1, 4]],
      [2, [0, 5]],
    ]);
    const plan = {
      model: { architecture: 'qwen3_moe', fingerprint: checkpoint.fingerprint, source: 'tiny' },
      metric: 'reap',
      policy: 'uniform' as const,
      ratio: 1 / 3,
      calibration: { domains: [], gate: 'model' as const, statisticsHash: null },
      nextToken: 'prune' as const,
      layers: [...drop].map(([layer, dropped]) => ({
        layer,
        experts: 6,
        keep: [0, 1, 2, 3, 4, 5].filter((expert) => !dropped.includes(expert)),
        drop: dropped,
        scores: [],
        reasons: new Map(),
      })),
    };
    for (const masked of [false, true]) {
      const losses = await evaluate({
        checkpoint,
        backend: nodeBackend(1),
        domains: DOMAINS,
        control: new RunControl(),
        ...(masked ? { plan } : {}),
      });
      for (const [d, { nllSum, predictedTokens }] of losses.entries()) {
        let expected = 0;
        for (const ids of DOMAINS[d] ?? []) {
          const { logits } = referenceForward(model, [...ids], (layer) => new Set(masked ? drop.get(layer) : []));
          for (let t = 0; t + 1 < ids.length; t++) {
            const row = logits[t] ?? new Float64Array();
            const largest = Math.max(...row);
            expected +=
              Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0)) +
              largest -
              (row[ids[t + 1] ?? 0] ?? 0);
          }
        }
        expect(predictedTokens).toBe((DOMAINS[d] ?? []).reduce((sum, ids) => sum + ids.length - 1, 0));
        expect(nllSum).toBeCloseTo(expected, 3);
      }
    }
  });
});
