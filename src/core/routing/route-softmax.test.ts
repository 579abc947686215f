import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { referenceGates } from './reference-gates.ts';
import { route as routeBy } from './route.ts';
import { softmaxRouterOf } from './router.fixture.ts';
import type { RouteInput, Routing } from './router.ts';

function route(
  logits: Float32Array,
  tokens: number,
  experts: number,
  topK: number,
  options: { readonly renormalise: boolean; readonly dropped?: RouteInput['dropped'] },
): Routing {
  const { renormalise, dropped } = options;
  return routeBy(softmaxRouterOf(experts, topK, renormalise), {
    logits,
    tokens,
    ...(dropped === undefined ? {} : { dropped }),
  });
}

/** Tokens of two tiny random models as transformers 5.17 routes them (float32, CPU). */
const MODELS = [
  {
    name: 'Qwen3-MoE, gates renormalised',
    renormalise: true,
    logits: [
      [3.37904119, -0.367686629, 0.334437072, 2.36328363, -0.294254154, 0.324892581, -0.378315747, 1.14313269],
      [0.571800649, 2.16993833, -1.24118078, 1.58048844, -0.0824520588, 0.237185568, -2.27718472, 1.56860912],
      [-1.87735355, -3.43848515, -0.667074323, -0.954602242, -0.631443918, -1.67942059, -1.5955261, -0.205558836],
    ],
    selected: [0, 3, 1, 3, 7, 4],
    gates: [0.7341454, 0.2658546, 0.6432389, 0.3567611, 0.6048906, 0.3951094],
  },
  {
    name: 'OLMoE, gates as softmax gives them',
    renormalise: false,
    logits: [
      [1.16952205, -0.732010245, -0.958583176, -1.26279604, -1.31308675, -0.00880610477, 1.30713379, 0.686025143],
      [0.537669539, 0.111779079, -0.264723361, 2.02404523, 1.45730209, -0.510699153, -2.4274826, 0.372844964],
      [1.71265268, 2.03184152, -0.939796329, 0.0615154766, 0.848205566, 5.3061285, -3.86114955, 2.84568882],
    ],
    selected: [6, 0, 3, 4, 5, 7],
    gates: [0.32677275, 0.28476185, 0.43002245, 0.24398196, 0.85495752, 0.07301114],
  },
];

function expectGates(actual: Float32Array, expected: readonly number[]) {
  expect(actual).toHaveLength(expected.length);
  for (const [index, gate] of expected.entries()) expect(actual[index]).toBeCloseTo(gate, 6);
}

const rows = fc.array(fc.array(fc.float({ noNaN: true, min: -30, max: 30 }), { minLength: 6, maxLength: 6 }), {
  minLength: 1,
  maxLength: 5,
});

describe('route', () => {
  it.each(MODELS)('$name', ({ logits, renormalise, selected, gates }) => {
    const routing = route(Float32Array.from(logits.flat()), 3, 8, 2, { renormalise });
    expect([...routing.selected]).toEqual(selected);
    expectGates(routing.gates, gates);
  });

  it('puts the lower index first among equal logits', () => {
    const { selected } = route(Float32Array.of(1, 2, 2, 0, 2, 1), 1, 6, 5, { renormalise: true });
    expect([...selected]).toEqual([1, 2, 4, 0, 5]);
  });

  it('agrees with a plain sort and softmax, with and without dropped experts', () => {
    fc.assert(
      fc.property(rows, fc.boolean(), fc.subarray([0, 1, 2, 3, 4, 5], { maxLength: 3 }), (logits, renormalise, out) => {
        const dropped = new Set(out);
        const routing = route(Float32Array.from(logits.flat()), logits.length, 6, 3, { renormalise, dropped });
        for (const [token, row] of logits.entries()) {
          const order = row.map((_, expert) => expert).filter((expert) => !dropped.has(expert));
          const total = order.reduce((sum, expert) => sum + Math.exp(row[expert] ?? 0), 0);
          const chosen = order.toSorted((a, b) => (row[b] ?? 0) - (row[a] ?? 0) || a - b).slice(0, 3);
          const gates = chosen.map((expert) => Math.exp(row[expert] ?? 0) / total);
          const share = renormalise ? gates.reduce((sum, gate) => sum + gate, 0) : 1;
          expect([...routing.selected.subarray(token * 3, token * 3 + 3)]).toEqual(chosen);
          expectGates(
            routing.gates.subarray(token * 3, token * 3 + 3),
            gates.map((gate) => gate / share),
          );
        }
      }),
    );
  });

  it('takes the dropped experts as a mask as well', () => {
    const logits = Float32Array.of(4, 3, 2, 1);
    const mask = Uint8Array.of(1, 0, 1, 0);
    const byMask = route(logits, 1, 4, 2, { renormalise: false, dropped: mask });
    expect(byMask).toEqual(route(logits, 1, 4, 2, { renormalise: false, dropped: new Set([0, 2]) }));
    expect([...byMask.selected]).toEqual([1, 3]);
    expectGates(byMask.gates, [0.880797, 0.1192029]);
  });

  it('survives logits whose exponentials overflow f32 and f64', () => {
    const { gates } = route(Float32Array.of(2000, 1999, -2000), 1, 3, 2, { renormalise: false });
    expectGates(gates, [0.7310586, 0.2689414]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('refuses a logit of %s', (bad) => {
    for (const dropped of [undefined, new Set([1])]) {
      const options = dropped === undefined ? { renormalise: true } : { renormalise: true, dropped };
      expect(() => route(Float32Array.of(1, 2, 3, 1, bad, 3), 2, 3, 2, options)).toThrow(
        expect.objectContaining({ family: 'calibration', code: 'non-finite-logits', details: { token: 1, expert: 1 } }),
      );
    }
  });

  it('refuses to leave a token fewer experts than it needs', () => {
    expect(() => route(Float32Array.of(1, 2, 3), 1, 3, 2, { renormalise: true, dropped: new Set([0, 1]) })).toThrow(
      expect.objectContaining({ family: 'plan', code: 'fewer-than-top-k', details: { topK: 2, available: 1 } }),
    );
  });

  it('refuses sizes that contradict each other', () => {
    expect(() => route(new Float32Array(7), 2, 3, 2, { renormalise: true })).toThrow(RangeError);
  });

  it('routes no token to nothing', () => {
    expect(route(new Float32Array(0), 0, 4, 2, { renormalise: true }).selected).toHaveLength(0);
  });
});

describe('referenceGates', () => {
  it('renormalises even where the model does not', () => {
    const logits = Float32Array.from(MODELS[1]?.logits.flat() ?? []);
    const { selected, gates } = referenceGates(logits, 3, 8, 2);
    expect([...selected]).toEqual(MODELS[1]?.selected);
    expectGates(gates.subarray(0, 2), [0.32677275 / 0.6115346, 0.28476185 / 0.6115346]);
  });

  it('lets no gate fall below the f32 epsilon', () => {
    expect([...referenceGates(Float32Array.of(100, 0), 1, 2, 2).gates]).toEqual([1, 2 ** -23]);
  });

  it('looks at no identity expert', () => {
    const logits = Float32Array.of(1, 3, 2, 9, 0, 1, 2, 9);
    expect(referenceGates(logits, 2, 3, 2, 1)).toEqual(referenceGates(Float32Array.of(1, 3, 2, 0, 1, 2), 2, 3, 2));
  });
});
