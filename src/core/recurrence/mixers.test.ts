import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type DeltaNetRows, gatedDeltaNet } from './gated-delta-net.ts';
import { goldenMixer, relativeDistance } from './golden-mixer.fixture.ts';
import { mamba2Mixer } from './mamba2-mixer.ts';
import { splitQkvz } from './qkvz-layout.ts';
import { shortConvolution } from './short-convolution.ts';

const TOLERANCE = 1e-5;

const deltaNet = {
  dims: { keyHeads: z.number(), valueHeads: z.number(), keyDim: z.number(), valueDim: z.number(), epsilon: z.number() },
  parameters: ['convolution', 'decay', 'timeBias', 'norm'],
} as const;
const next = goldenMixer('qwen3-next', { ...deltaNet, rows: ['qkvz', 'ba'] });
const separate = goldenMixer('qwen3-5-moe', { ...deltaNet, rows: ['qkv', 'z', 'b', 'a'] });
const mamba = goldenMixer('nemotron-h', {
  dims: {
    heads: z.number(),
    headDim: z.number(),
    groups: z.number(),
    state: z.number(),
    leastStep: z.number(),
    epsilon: z.number(),
  },
  parameters: ['convolution', 'timeBias', 'decay', 'skip', 'norm'],
  rows: ['joint'],
});
const convolutions = goldenMixer('lfm2-moe', {
  dims: { hidden: z.number() },
  parameters: ['convolution'],
  rows: ['joint'],
});

interface Named {
  readonly name: string;
  readonly output: Float32Array;
  readonly actual: () => Float32Array;
}

const runs: readonly Named[] = [
  ...next.flatMap(({ dims, parameters, sequences }) =>
    sequences.map(({ tokens, rows, output }) => ({
      name: `Qwen3NextGatedDeltaNet, ${tokens} tokens`,
      output,
      actual: () => gatedDeltaNet(dims, { ...parameters, epsilon: dims.epsilon }, splitQkvz(dims, rows.qkvz, rows.ba)),
    })),
  ),
  ...separate.flatMap(({ dims, parameters, sequences }) =>
    sequences.map(({ tokens, rows, output }) => ({
      name: `Qwen3_5MoeGatedDeltaNet, ${tokens} tokens`,
      output,
      actual: () => gatedDeltaNet(dims, { ...parameters, epsilon: dims.epsilon }, rows),
    })),
  ),
  ...mamba.flatMap(({ dims, parameters, sequences }) =>
    sequences.map(({ tokens, rows, output }) => ({
      name: `NemotronHMamba2Mixer, ${dims.groups} groups, ${tokens} tokens`,
      output,
      actual: () =>
        mamba2Mixer(
          dims,
          { ...parameters, convolutionBias: parameters.convolutionBias, epsilon: dims.epsilon },
          rows.joint,
        ),
    })),
  ),
  ...convolutions.flatMap(({ dims, parameters, sequences }) =>
    sequences.map(({ tokens, rows, output }) => ({
      name: `Lfm2MoeShortConv, ${parameters.convolutionBias === undefined ? 'no bias' : 'bias'}, ${tokens} tokens`,
      output,
      actual: () =>
        shortConvolution(
          dims.hidden,
          { convolution: parameters.convolution, convolutionBias: parameters.convolutionBias },
          rows.joint,
        ),
    })),
  ),
];

describe("mixers between their projections equal transformers' torch path", () => {
  it('covers every length of every mixer', () => expect(runs).toHaveLength(14));

  it.each(runs)('$name', ({ output, actual }) => {
    expect(relativeDistance(actual(), output)).toBeLessThan(TOLERANCE);
  });
});

describe('mixers leave what they are given alone', () => {
  it('changes neither rows nor parameters', () => {
    for (const { dims, parameters, sequences } of separate) {
      const rows: DeltaNetRows | undefined = sequences[1]?.rows;
      if (rows === undefined) throw new Error('the fixture has no second sequence');
      const before = structuredClone({ rows, parameters });
      gatedDeltaNet(dims, { ...parameters, epsilon: dims.epsilon }, rows);
      expect({ rows, parameters }).toEqual(before);
    }
  });
});

describe('mixers refuse arrays that do not fit the shape', () => {
  const [delta] = separate;
  const [scan] = mamba;
  const [convolution] = convolutions;
  const [first] = next;
  if (delta === undefined || scan === undefined || convolution === undefined || first === undefined) {
    throw new Error('a fixture has no case');
  }
  const rows = delta.sequences[1]?.rows;
  const joint = scan.sequences[1]?.rows.joint;
  const gated = convolution.sequences[1]?.rows.joint;
  const interleaved = first.sequences[1]?.rows;
  if (rows === undefined || joint === undefined || gated === undefined || interleaved === undefined) {
    throw new Error('a fixture has no second sequence');
  }
  const short = <K extends string>(object: Readonly<Record<K, Float32Array>>, key: K) => ({
    ...object,
    [key]: object[key].subarray(1),
  });
  const deltaParameters = { ...delta.parameters, epsilon: 1e-6 };
  const scanParameters = { ...scan.parameters, convolutionBias: scan.parameters.convolutionBias, epsilon: 1e-5 };

  it.each(['qkv', 'z', 'b', 'a'] as const)('Gated DeltaNet: rows of %s', (key) => {
    expect(() => gatedDeltaNet(delta.dims, deltaParameters, short(rows, key))).toThrow(`"${key}" has`);
  });

  it.each(['convolution', 'decay', 'timeBias', 'norm'] as const)('Gated DeltaNet: parameter %s', (key) => {
    const parameters = { ...deltaParameters, [key]: deltaParameters[key].subarray(1) };
    expect(() => gatedDeltaNet(delta.dims, parameters, rows)).toThrow(`"${key}" has`);
  });

  it.each(['qkvz', 'ba'] as const)('interleaved projections: rows of %s', (key) => {
    const cut = short(interleaved, key);
    expect(() => splitQkvz(first.dims, cut.qkvz, cut.ba)).toThrow(`"${key}" has`);
  });

  it.each(['convolution', 'convolutionBias', 'timeBias', 'decay', 'skip', 'norm'] as const)('Mamba-2: %s', (key) => {
    const parameters = { ...scanParameters, [key]: scanParameters[key]?.subarray(1) };
    expect(() => mamba2Mixer(scan.dims, parameters, joint)).toThrow(`"${key}" has`);
  });

  it('Mamba-2: rows', () => {
    expect(() => mamba2Mixer(scan.dims, scanParameters, joint.subarray(1))).toThrow('"in_proj rows" has 159 numbers');
  });

  it('short convolution: rows, weight and bias', () => {
    const parameters = {
      convolution: convolution.parameters.convolution,
      convolutionBias: convolution.parameters.convolutionBias,
    };
    const run = (changes: Partial<typeof parameters>, input = gated) =>
      shortConvolution(4, { ...parameters, ...changes }, input);
    expect(() => run({}, gated.subarray(1))).toThrow('"in_proj rows" has');
    expect(() => run({ convolution: parameters.convolution.subarray(1) })).toThrow('"convolution" has');
    expect(() => run({ convolutionBias: parameters.convolutionBias?.subarray(1) })).toThrow('"convolutionBias" has');
  });
});
