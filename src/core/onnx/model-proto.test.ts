import { onnx } from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import { attentionGraph } from './attention-graph.ts';
import { expertGraph } from './expert-graph.ts';
import { headGraph } from './head-graph.ts';
import { encodeModel } from './model-proto.ts';

const ATTENTION = {
  hiddenSize: 64,
  heads: 4,
  keyValueHeads: 2,
  headDim: 32,
  normEpsilon: 1e-6,
  bias: true,
  queryKeyNorm: 'per-head',
  experts: 8,
  kernel: 'fused',
} as const;

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

  it.each([
    ['attention', attentionGraph(ATTENTION)],
    ['composed attention', attentionGraph({ ...ATTENTION, kernel: 'composed' })],
    ['experts', expertGraph(64, 32)],
    ['head', headGraph(64, 320, 1e-6)],
  ])('re-encodes the %s graph to the same bytes, so no field is lost or unknown', (_, bytes) => {
    expect(Buffer.from(onnx.ModelProto.encode(decode(bytes)).finish()).equals(Buffer.from(bytes))).toBe(true);
  });
});

describe('graphs', () => {
  it('defines every value before it is used, once', () => {
    for (const bytes of [
      attentionGraph(ATTENTION),
      attentionGraph({ ...ATTENTION, kernel: 'composed' }),
      expertGraph(64, 32),
      headGraph(64, 320, 1e-6),
    ]) {
      const { graph } = decode(bytes);
      const known = new Set([...(graph?.input ?? []), ...(graph?.initializer ?? [])].map(({ name }) => name));
      for (const node of graph?.node ?? []) {
        for (const input of node.input ?? []) if (input !== '') expect(known).toContain(input);
        for (const output of node.output ?? []) {
          expect(known).not.toContain(output);
          known.add(output);
        }
      }
      for (const output of graph?.output ?? []) expect(known).toContain(output.name);
    }
  });

  it('leaves the router out of dense layers', () => {
    const { graph } = decode(attentionGraph({ ...ATTENTION, experts: 0 }));
    expect(graph?.output?.map(({ name }) => name)).toEqual(['hidden_out', 'normed']);
    expect(graph?.input?.map(({ name }) => name)).not.toContain('router');
  });
});
