import { describe, expect, it } from 'vitest';
import { silu, softplus } from './activations.ts';
import { causalConvolution } from './causal-convolution.ts';
import { columns } from './columns.ts';
import { deltaRule } from './delta-rule.ts';
import { gatedNorm } from './gated-norm.ts';
import { relativeDistance } from './golden-mixer.fixture.ts';
import { splitQkvz } from './qkvz-layout.ts';
import { selectiveScan } from './selective-scan.ts';

/** Seeded numbers in (−1, 1). */
function numbers(count: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const at = (array: ArrayLike<number>, index: number): number => array[index] ?? Number.NaN;

describe('causalConvolution', () => {
  const small = { tokens: 3, channels: 2, input: Float32Array.of(1, 10, 2, 20, 3, 30) };

  it('weighs the present with the last tap and sees zeros before the sequence', () => {
    const weight = Float32Array.of(1, 100, 0, 1);
    const out = causalConvolution({ ...small, weight, bias: undefined, activation: 'none' });
    expect([...out]).toEqual([100, 10, 201, 20, 302, 30]);
  });

  it('adds the bias before silu, which neither end of the range breaks', () => {
    const weight = Float32Array.of(0, 0);
    const out = causalConvolution({ ...small, weight, bias: Float32Array.of(1, -1000), activation: 'silu' });
    expect(at(out, 0)).toBeCloseTo(1 / (1 + Math.exp(-1)), 6);
    expect(at(out, 1)).toBeCloseTo(0, 6);
    expect(silu(1000)).toBe(1000);
  });

  it('takes kernels longer than the sequence', () => {
    const weight = Float32Array.of(9, 9, 9, 2, 9, 9, 9, 3);
    const input = Float32Array.of(1, 2);
    const out = causalConvolution({ tokens: 1, channels: 2, input, weight, bias: undefined, activation: 'none' });
    expect([...out]).toEqual([2, 6]);
  });
});

describe('deltaRule', () => {
  /** The recurrence as it is written, a matrix at a time. */
  function plain(rule: Parameters<typeof deltaRule>[0]): Float32Array {
    const { tokens, keyHeads, valueHeads, keyDim, valueDim } = rule;
    const out = new Float32Array(tokens * valueHeads * valueDim);
    const unit = (x: Float32Array, from: number): number[] => {
      const part = [...x.subarray(from, from + keyDim)];
      const norm = Math.sqrt(part.reduce((sum, v) => sum + v * v, 0) + 1e-6);
      return part.map((v) => v / norm);
    };
    for (let head = 0; head < valueHeads; head++) {
      let state = Array.from({ length: keyDim }, () => new Array<number>(valueDim).fill(0));
      for (let token = 0; token < tokens; token++) {
        const gate = token * valueHeads + head;
        const keyAt = (token * keyHeads + Math.floor((head * keyHeads) / valueHeads)) * keyDim;
        const [k, q] = [unit(rule.key, keyAt), unit(rule.query, keyAt)];
        state = state.map((row) => row.map((cell) => cell * Math.exp(at(rule.logDecay, gate))));
        const write = Array.from({ length: valueDim }, (_, j) => {
          const known = state.reduce((sum, row, i) => sum + at(row, j) * at(k, i), 0);
          return at(rule.beta, gate) * (at(rule.value, gate * valueDim + j) - known);
        });
        state = state.map((row, i) => row.map((cell, j) => cell + at(k, i) * at(write, j)));
        for (let j = 0; j < valueDim; j++) {
          const read = state.reduce((sum, row, i) => sum + at(row, j) * at(q, i), 0);
          out[gate * valueDim + j] = read / Math.sqrt(keyDim);
        }
      }
    }
    return out;
  }

  function rule(tokens: number, keyHeads: number, valueHeads: number, keyDim: number, valueDim: number) {
    return {
      tokens,
      keyHeads,
      valueHeads,
      keyDim,
      valueDim,
      query: numbers(tokens * keyHeads * keyDim, 1),
      key: numbers(tokens * keyHeads * keyDim, 2),
      value: numbers(tokens * valueHeads * valueDim, 3),
      logDecay: numbers(tokens * valueHeads, 4).map((x) => -Math.abs(x)),
      beta: numbers(tokens * valueHeads, 5).map((x) => (x + 1) / 2),
    };
  }

  it.each([
    [7, 1, 1, 3, 1],
    [20, 2, 6, 5, 3],
    [130, 3, 3, 4, 8],
  ] as const)(
    'is the recurrence as written: %i tokens, %i → %i heads of %i → %i',
    (tokens, keyHeads, valueHeads, keyDim, valueDim) => {
      const input = rule(tokens, keyHeads, valueHeads, keyDim, valueDim);
      expect(relativeDistance(deltaRule(input), plain(input))).toBeLessThan(1e-6);
    },
  );

  it('forgets everything where the decay is −∞', () => {
    const input = rule(4, 1, 1, 3, 2);
    input.logDecay[3] = Number.NEGATIVE_INFINITY;
    const last = deltaRule(input).subarray(6);
    const alone = deltaRule({
      ...input,
      tokens: 1,
      query: input.query.subarray(9),
      key: input.key.subarray(9),
      value: input.value.subarray(6),
      logDecay: input.logDecay.subarray(3),
      beta: input.beta.subarray(3),
    });
    expect([...last]).toEqual([...alone]);
  });

  it('gives zeros, no NaN, for a query and key of zeros', () => {
    const input = rule(3, 1, 1, 3, 2);
    expect([...deltaRule({ ...input, query: new Float32Array(9), key: new Float32Array(9) })]).toEqual(
      new Array(6).fill(0),
    );
  });
});

describe('gatedNorm', () => {
  const rows = Float32Array.of(3, 4, 6, 8);
  const gate = Float32Array.of(1, 2, 3, 4);

  it('norms each group, then gates, with one weight for all groups', () => {
    const shape = { width: 4, group: 2, epsilon: 0, order: 'norm-then-gate' } as const;
    const out = gatedNorm({ ...shape, rows, gate, weight: Float32Array.of(1, 10) });
    const scale = 1 / Math.sqrt(12.5);
    const expected = [3 * scale * silu(1), 40 * scale * silu(2), 3 * scale * silu(3), 40 * scale * silu(4)];
    expect(relativeDistance(out, Float32Array.from(expected))).toBeLessThan(1e-6);
  });

  it('gates, then norms each group, with a weight per column', () => {
    const shape = { width: 4, group: 2, epsilon: 0.5, order: 'gate-then-norm' } as const;
    const out = gatedNorm({ ...shape, rows, gate, weight: Float32Array.of(1, 2, 3, 4) });
    const gated = [3 * silu(1), 4 * silu(2), 6 * silu(3), 8 * silu(4)];
    const scales = [0, 2].map((i) => 1 / Math.sqrt((at(gated, i) ** 2 + at(gated, i + 1) ** 2) / 2 + 0.5));
    const expected = gated.map((value, i) => value * at(scales, i >> 1) * (i + 1));
    expect(relativeDistance(out, Float32Array.from(expected))).toBeLessThan(1e-6);
    expect([...rows]).toEqual([3, 4, 6, 8]);
  });
});

describe('selectiveScan', () => {
  it.each([
    [6, 2, 1, 1, 2],
    [40, 6, 5, 3, 4],
    [9, 4, 8, 2, 1],
  ] as const)(
    'is the recurrence as written: %i tokens, %i heads of %i, %i groups, state %i',
    (tokens, heads, headDim, groups, size) => {
      const scan = {
        tokens,
        heads,
        headDim,
        groups,
        state: size,
        x: numbers(tokens * heads * headDim, 1),
        timeStep: numbers(tokens * heads, 2).map((x) => x * 6),
        timeBias: numbers(heads, 3),
        decay: numbers(heads, 4),
        input: numbers(tokens * groups * size, 5),
        output: numbers(tokens * groups * size, 6),
        skip: numbers(heads, 7),
        leastStep: 0.2,
      };
      const expected = new Float32Array(scan.x.length);
      for (let head = 0; head < heads; head++) {
        const group = Math.floor(head / (heads / groups));
        for (let i = 0; i < headDim; i++) {
          let state = new Array<number>(size).fill(0);
          for (let token = 0; token < tokens; token++) {
            const place = token * heads + head;
            const raw = Math.log(1 + Math.exp(at(scan.timeStep, place) + at(scan.timeBias, head)));
            const step = Math.max(raw, 0.2);
            const x = at(scan.x, place * headDim + i);
            const of = (array: Float32Array, j: number) => at(array, (token * groups + group) * size + j);
            state = state.map(
              (h, j) => h * Math.exp(-Math.exp(at(scan.decay, head)) * step) + step * x * of(scan.input, j),
            );
            const read = state.reduce((sum, h, j) => sum + h * of(scan.output, j), 0);
            expected[place * headDim + i] = read + at(scan.skip, head) * x;
          }
        }
      }
      expect(relativeDistance(selectiveScan(scan), expected)).toBeLessThan(1e-6);
    },
  );

  it('has a softplus that neither end of the range breaks', () => {
    expect(softplus(1000)).toBe(1000);
    expect(softplus(-1000)).toBe(0);
    expect(softplus(20.001)).toBeCloseTo(Math.log1p(Math.exp(20.001)), 6);
  });
});

describe('layouts', () => {
  it('cuts columns out of rows', () => {
    expect([...columns(Float32Array.of(1, 2, 3, 4, 5, 6), 3, 1, 2)]).toEqual([2, 3, 5, 6]);
  });

  it('takes interleaved projections apart by key head', () => {
    // Two tokens; key head 0: q 1, k 2, v 3 4, z 5 6; key head 1: q 7, k 8, v 9 10, z 11 12; the second token + 100.
    const first = Array.from({ length: 12 }, (_, i) => i + 1);
    const qkvz = Float32Array.from([...first, ...first.map((x) => x + 100)]);
    const ba = Float32Array.from({ length: 16 }, (_, i) => i);
    const { qkv, z, b, a } = splitQkvz({ keyHeads: 2, valueHeads: 4, keyDim: 1, valueDim: 1 }, qkvz, ba);
    expect([...qkv]).toEqual([1, 7, 2, 8, 3, 4, 9, 10, 101, 107, 102, 108, 103, 104, 109, 110]);
    expect([...z]).toEqual([5, 6, 11, 12, 105, 106, 111, 112]);
    expect([...b]).toEqual([0, 1, 4, 5, 8, 9, 12, 13]);
    expect([...a]).toEqual([2, 3, 6, 7, 10, 11, 14, 15]);
  });
});
