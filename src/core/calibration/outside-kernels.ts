import type { PartName } from '../architectures/tensor-parts.ts';
import type { ConvolutionMixer, DeltaNetMixer, ScanMixer } from '../checkpoint/mixer-config.ts';
import { inputName } from '../onnx/layer-inputs.ts';
import { causalConvolution } from '../recurrence/causal-convolution.ts';
import { columns, groupedColumns } from '../recurrence/columns.ts';
import { deltaRule } from '../recurrence/delta-rule.ts';
import { gatedNorm } from '../recurrence/gated-norm.ts';
import { selectiveScan } from '../recurrence/selective-scan.ts';

/**
 * Mixers whose state runs along the sequence are computed by plain loops on the host, between two graphs: projections
 * before, the output projection after. Their loops are short beside the experts'.
 */
export type OutsideMixer = DeltaNetMixer | ConvolutionMixer | ScanMixer;

export type Rows = Readonly<Partial<Record<PartName, Float32Array<ArrayBuffer>>>>;
/** A layer's parameters as f32, by graph input. */
type HostWeights = ReadonlyMap<string, Float32Array<ArrayBuffer>>;

function weightOf(weights: HostWeights, part: PartName): Float32Array<ArrayBuffer> {
  const weight = weights.get(inputName(part));
  if (weight === undefined) throw new RangeError(`the layer has no "${part}"`);
  return weight;
}

function rowsOf(rows: Rows, part: PartName): Float32Array<ArrayBuffer> {
  return rows[part] ?? new Float32Array();
}

/** q, k and v side by side [T, 2·keys + values], z [T, values], β's and a's logits [T, valueHeads]. */
function deltaInputs(mixer: DeltaNetMixer, rows: Rows): Record<'qkv' | 'z' | 'b' | 'a', Float32Array<ArrayBuffer>> {
  if (mixer.projections === 'separate') {
    return {
      qkv: rowsOf(rows, 'delta-qkv'),
      z: rowsOf(rows, 'delta-z'),
      b: rowsOf(rows, 'delta-b'),
      a: rowsOf(rows, 'delta-a'),
    };
  }
  // Each key head brings its query, key and the values and gates of the value heads that it serves.
  const { keyHeads, keyDim } = mixer;
  const shared = mixer.valueHeads / keyHeads;
  const values = shared * mixer.valueDim;
  const stride = 2 * keyDim + 2 * values;
  const joint = rowsOf(rows, 'delta-qkvz');
  const gates = rowsOf(rows, 'delta-ba');
  const take = (from: number, count: number): Float32Array<ArrayBuffer> =>
    groupedColumns(joint, keyHeads, stride, from, count);
  const parts = [take(0, keyDim), take(keyDim, keyDim), take(2 * keyDim, values)];
  const tokens = joint.length / (keyHeads * stride);
  const widths = [keyHeads * keyDim, keyHeads * keyDim, keyHeads * values];
  const width = widths.reduce((sum, part) => sum + part, 0);
  const qkv = new Float32Array(tokens * width);
  let from = 0;
  for (const [index, part] of parts.entries()) {
    const size = widths[index] ?? 0;
    for (let token = 0; token < tokens; token++) {
      qkv.set(part.subarray(token * size, (token + 1) * size), token * width + from);
    }
    from += size;
  }
  return {
    qkv,
    z: take(2 * keyDim + values, values),
    b: groupedColumns(gates, keyHeads, 2 * shared, 0, shared),
    a: groupedColumns(gates, keyHeads, 2 * shared, shared, shared),
  };
}

function softplus(x: number): number {
  return x > 20 ? x : Math.log1p(Math.exp(x));
}

function deltaNet(mixer: DeltaNetMixer, rows: Rows, weights: HostWeights, epsilon: number): Float32Array<ArrayBuffer> {
  const { keyHeads, valueHeads, keyDim, valueDim } = mixer;
  const { qkv, z, b, a } = deltaInputs(mixer, rows);
  const [keys, values] = [keyHeads * keyDim, valueHeads * valueDim];
  const channels = 2 * keys + values;
  const tokens = qkv.length / channels;
  const convolved = causalConvolution({
    input: qkv,
    tokens,
    channels,
    weight: weightOf(weights, 'delta-convolution'),
    bias: undefined,
    activation: 'silu',
  });
  const decay = weightOf(weights, 'delta-decay');
  const timeBias = weightOf(weights, 'delta-time-bias');
  const mixed = deltaRule({
    tokens,
    keyHeads,
    valueHeads,
    keyDim,
    valueDim,
    query: columns(convolved, channels, 0, keys),
    key: columns(convolved, channels, keys, keys),
    value: columns(convolved, channels, 2 * keys, values),
    logDecay: a.map(
      (logit, i) => -Math.exp(decay[i % valueHeads] ?? 0) * softplus(logit + (timeBias[i % valueHeads] ?? 0)),
    ),
    beta: b.map((logit) => 1 / (1 + Math.exp(-logit))),
  });
  return gatedNorm({
    rows: mixed,
    gate: z,
    group: valueDim,
    weight: weightOf(weights, 'delta-norm'),
    width: values,
    epsilon,
    order: 'norm-then-gate',
  });
}

function shortConvolution(rows: Rows, weights: HostWeights, hidden: number): Float32Array<ArrayBuffer> {
  const joint = rowsOf(rows, 'convolution-in');
  const weight = weightOf(weights, 'convolution');
  const bias = weights.get(inputName('convolution', true));
  const gateIn = columns(joint, 3 * hidden, 0, hidden);
  const gateOut = columns(joint, 3 * hidden, hidden, hidden);
  const x = columns(joint, 3 * hidden, 2 * hidden, hidden);
  const tokens = x.length / hidden;
  const convolved = causalConvolution({
    input: x.map((value, i) => value * (gateIn[i] ?? 0)),
    tokens,
    channels: hidden,
    weight,
    bias,
    activation: 'none',
  });
  return convolved.map((value, i) => value * (gateOut[i] ?? 0));
}

function scanMixer(mixer: ScanMixer, rows: Rows, weights: HostWeights, epsilon: number): Float32Array<ArrayBuffer> {
  const { heads, headDim, groups, state } = mixer;
  const joint = rowsOf(rows, 'scan-in');
  const inner = heads * headDim;
  const channels = inner + 2 * groups * state;
  const width = inner + channels + heads;
  const tokens = joint.length / width;
  const convolved = causalConvolution({
    input: columns(joint, width, inner, channels),
    tokens,
    channels,
    weight: weightOf(weights, 'scan-convolution'),
    bias: weights.get(inputName('scan-convolution', true)),
    activation: 'silu',
  });
  const mixed = selectiveScan({
    tokens,
    heads,
    headDim,
    groups,
    state,
    x: columns(convolved, channels, 0, inner),
    input: columns(convolved, channels, inner, groups * state),
    output: columns(convolved, channels, inner + groups * state, groups * state),
    timeStep: columns(joint, width, inner + channels, heads),
    timeBias: weightOf(weights, 'scan-time-bias'),
    decay: weightOf(weights, 'scan-decay'),
    skip: weightOf(weights, 'scan-skip'),
    leastStep: mixer.leastStep,
  });
  return gatedNorm({
    rows: mixed,
    gate: columns(joint, width, 0, inner),
    group: inner / groups,
    weight: weightOf(weights, 'scan-norm'),
    width: inner,
    epsilon,
    order: 'gate-then-norm',
  });
}

/** One sequence through a mixer: from its projected rows to the rows [T, width] of the output projection. */
export function mixSequence(
  mixer: OutsideMixer,
  rows: Rows,
  weights: HostWeights,
  epsilon: number,
  hidden: number,
): Float32Array<ArrayBuffer> {
  switch (mixer.kind) {
    case 'gated-delta-net':
      return deltaNet(mixer, rows, weights, epsilon);
    case 'short-convolution':
      return shortConvolution(rows, weights, hidden);
    case 'selective-scan':
      return scanMixer(mixer, rows, weights, epsilon);
  }
}
