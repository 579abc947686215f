import { onnx } from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import type { GroupedQueryMixer, LatentMixer } from '../checkpoint/mixer-config.ts';
import { expertGraph } from './expert-graph.ts';
import { headGraph } from './head-graph.ts';
import { layerGraph, projectionGraph } from './layer-graph.ts';
import { encodeModel } from './model-proto.ts';

const GROUPED: GroupedQueryMixer = {
  kind: 'grouped-query',
  heads: 4,
  keyValueHeads: 2,
  headDim: 32,
  queryKeyValueBias: true,
  outputBias: true,
  queryKeyNorm: { over: 'head', place: 'before-rotation', unit: false },
  rotary: { dimensions: 16, style: 'halves', theta: 10_000, scaling: { kind: 'default' } },
  scale: 0.2,
  clip: 8,
  window: 7,
  chunk: undefined,
  sinks: true,
  outputGate: true,
  temperature: { scale: 0.1, floor: 4 },
};
const LATENT: LatentMixer = {
  kind: 'latent',
  heads: 4,
  queryRank: 24,
  keyValueRank: 16,
  nopeDim: 8,
  ropeDim: 8,
  valueDim: 12,
  bias: true,
  normEpsilon: 1e-6,
  rotary: { dimensions: 8, style: 'interleaved', theta: 10_000, scaling: { kind: 'default' } },
  scale: 0.25,
  queryFactor: 2,
  keyValueFactor: 1.5,
};
const LAYER = {
  hiddenSize: 64,
  norm: { kind: 'rms-plus-one', epsilon: 1e-6 },
  residual: 0.5,
  router: { rows: 8, bias: true, sharedGate: true },
  feedForward: true,
} as const;
const FUSED = { ...GROUPED, sinks: false };
const EXPERT = { hiddenSize: 64, innerSize: 32, limit: 7, bias: true, scaledInput: true } as const;

const GRAPHS: readonly (readonly [string, Uint8Array])[] = [
  [
    'composed attention',
    layerGraph({ ...LAYER, mixer: { kind: 'inside', mixer: GROUPED, kernel: { kind: 'composed', parts: 3 } } }),
  ],
  ['fused attention', layerGraph({ ...LAYER, mixer: { kind: 'inside', mixer: FUSED, kernel: { kind: 'fused' } } })],
  [
    'latent attention',
    layerGraph({
      ...LAYER,
      norm: { kind: 'layer', epsilon: 1e-6 },
      mixer: { kind: 'inside', mixer: LATENT, kernel: { kind: 'composed', parts: 1 } },
    }),
  ],
  ['outside mixer', layerGraph({ ...LAYER, mixer: { kind: 'outside', part: 'scan-out', width: 48, bias: false } })],
  ['layer without mixer', layerGraph({ ...LAYER, mixer: undefined })],
  ['projections', projectionGraph(64, LAYER.norm, [{ part: 'delta-qkvz', rows: 20, bias: false }])],
  ['experts', expertGraph({ ...EXPERT, activation: 'clamped-swiglu' })],
  ['experts without gate', expertGraph({ ...EXPERT, activation: 'relu-squared', bias: false, scaledInput: false })],
  ['head', headGraph({ hiddenSize: 64, vocabularySize: 320, norm: LAYER.norm, bias: true, logitsDivisor: 6 })],
];

function decode(bytes: Uint8Array): onnx.ModelProto {
  return onnx.ModelProto.decode(bytes);
}

describe('encodeModel', () => {
  it('writes what a real ONNX decoder reads back, field by field', () => {
    const model = decode(
      encodeModel({
        name: 'sample',
        nodes: [
          {
            operator: 'Gemm',
            domain: '',
            inputs: ['x', 'w'],
            outputs: ['y'],
            attributes: { transB: { kind: 'int', value: 1 }, alpha: { kind: 'float', value: 0.5 } },
          },
          {
            operator: 'Odd',
            domain: 'com.microsoft',
            inputs: ['y', ''],
            outputs: ['z'],
            attributes: { perm: { kind: 'ints', value: [0, -1, 300] } },
          },
        ],
        constants: [
          { name: 'axes', type: 'int64', shape: [2], bytes: new Uint8Array(BigInt64Array.from([1n, -1n]).buffer) },
        ],
        inputs: [{ name: 'x', type: 'float32', shape: ['T', 5] }],
        outputs: [{ name: 'z', type: 'int32', shape: [200] }],
      }),
    );
    expect(Number(model.irVersion)).toBe(10);
    expect(model.opsetImport.map(({ domain, version }) => [domain, Number(version)])).toEqual([
      ['', 21],
      ['com.microsoft', 1],
    ]);
    const graph = model.graph;
    expect(graph?.node?.map(({ opType, domain, input, output }) => ({ opType, domain, input, output }))).toEqual([
      { opType: 'Gemm', domain: '', input: ['x', 'w'], output: ['y'] },
      { opType: 'Odd', domain: 'com.microsoft', input: ['y', ''], output: ['z'] },
    ]);
    const [transB, alpha] = graph?.node?.[0]?.attribute ?? [];
    expect([transB?.name, Number(transB?.i), transB?.type]).toEqual([
      'transB',
      1,
      onnx.AttributeProto.AttributeType.INT,
    ]);
    expect([alpha?.name, alpha?.f, alpha?.type]).toEqual(['alpha', 0.5, onnx.AttributeProto.AttributeType.FLOAT]);
    const perm = graph?.node?.[1]?.attribute?.[0];
    expect(perm?.ints?.map(Number)).toEqual([0, -1, 300]);
    expect(perm?.type).toBe(onnx.AttributeProto.AttributeType.INTS);
    const axes = graph?.initializer?.[0];
    expect([axes?.name, axes?.dataType, axes?.dims?.map(Number)]).toEqual([
      'axes',
      onnx.TensorProto.DataType.INT64,
      [2],
    ]);
    expect([...(axes?.rawData ?? [])]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
    const x = graph?.input?.[0]?.type?.tensorType;
    expect([x?.elemType, x?.shape?.dim?.[0]?.dimParam, Number(x?.shape?.dim?.[1]?.dimValue)]).toEqual([1, 'T', 5]);
    expect(graph?.output?.[0]?.type?.tensorType?.elemType).toBe(6);
  });

  it.each(GRAPHS)('re-encodes the %s graph to the same bytes, so no field is lost or unknown', (_, bytes) => {
    expect(Buffer.from(onnx.ModelProto.encode(decode(bytes)).finish()).equals(Buffer.from(bytes))).toBe(true);
  });
});

describe('graphs', () => {
  it.each(GRAPHS)('%s defines every value before it is used, once', (_, bytes) => {
    const { graph } = decode(bytes);
    const known = new Set([...(graph?.input ?? []), ...(graph?.initializer ?? [])].map(({ name }) => name));
    expect(known.size).toBe((graph?.input?.length ?? 0) + (graph?.initializer?.length ?? 0));
    for (const node of graph?.node ?? []) {
      for (const input of node.input ?? []) if (input !== '') expect(known).toContain(input);
      for (const output of node.output ?? []) {
        expect(known).not.toContain(output);
        known.add(output);
      }
    }
    for (const output of graph?.output ?? []) expect(known).toContain(output.name);
  });

  it('leaves out what a layer does not have', () => {
    const bare = { ...LAYER, router: { rows: 0, bias: false, sharedGate: false }, feedForward: false, residual: 1 };
    const { graph } = decode(
      layerGraph({ ...bare, mixer: { kind: 'inside', mixer: GROUPED, kernel: { kind: 'composed', parts: 1 } } }),
    );
    expect(graph?.output?.map(({ name }) => name)).toEqual(['hidden_out']);
    expect(graph?.input?.map(({ name }) => name)).not.toContain('router');
    expect(graph?.input?.map(({ name }) => name)).not.toContain('post-attention-norm');
  });
});
