import { GraphBuilder } from './graph-builder.ts';

/** Sizes that are fixed for all layers of a model. */
export interface AttentionGraphSpec {
  readonly hiddenSize: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  readonly normEpsilon: number;
  readonly bias: boolean;
  readonly queryKeyNorm: 'per-head' | 'none';
  /** Router rows E, or 0 for a dense layer, which has no router. */
  readonly experts: number;
  readonly kernel: AttentionKernel;
}

/**
 * `fused`: onnxruntime's GroupQueryAttention, which never holds the scores; fast on a GPU, slow on a CPU (measured on
 * WebAssembly, 512 tokens: a fifth to an eighth of the speed of the other).
 * `composed`: MatMul, mask, Softmax, MatMul, which holds B·heads·S² scores.
 */
export type AttentionKernel = 'fused' | 'composed';

type AttentionInputs = Readonly<Record<'query' | 'key' | 'value' | 'cos' | 'sin', string>>;

function fusedAttention(
  graph: GraphBuilder,
  spec: AttentionGraphSpec,
  { query, key, value, cos, sin }: AttentionInputs,
): string {
  const last = graph.input('last', 'int32', ['B']);
  const length = graph.input('length', 'int32', [1]);
  return graph.node(
    'GroupQueryAttention',
    [query, key, value, '', '', last, length, cos, sin],
    { num_heads: spec.heads, kv_num_heads: spec.keyValueHeads, do_rotary: 1, rotary_interleaved: 0 },
    { domain: 'com.microsoft', outputs: ['mixed', 'present_key', 'present_value'] },
  );
}

/** Query heads that share a key head form an axis of their own, over which the products broadcast. */
function composedAttention(
  graph: GraphBuilder,
  spec: AttentionGraphSpec,
  { query, key, value, cos, sin }: AttentionInputs,
): string {
  const { heads, keyValueHeads, headDim } = spec;
  const mask = graph.input('mask', 'float32', ['S', 'S']);
  const first = graph.input('first', 'int64', [1]);
  const rotate = (x: string, count: number): string =>
    graph.node(
      'RotaryEmbedding',
      [x, first, cos, sin],
      { num_heads: count, interleaved: 0 },
      { domain: 'com.microsoft' },
    );
  const split = (x: string, shared: number, order: readonly number[]): string =>
    graph.node('Transpose', [graph.node('Reshape', [x, graph.ints([0, 0, keyValueHeads, shared, headDim])])], {
      perm: order,
    });
  const queries = split(rotate(query, heads), heads / keyValueHeads, [0, 2, 3, 1, 4]);
  const keys = split(rotate(key, keyValueHeads), 1, [0, 2, 3, 4, 1]);
  const values = split(value, 1, [0, 2, 3, 1, 4]);
  const scaled = graph.node('Mul', [queries, graph.scalar(1 / Math.sqrt(headDim))]);
  const scores = graph.node('Softmax', [graph.node('Add', [graph.node('MatMul', [scaled, keys]), mask])], { axis: -1 });
  return graph.node('Transpose', [graph.node('MatMul', [scores, values])], { perm: [0, 3, 1, 2, 4] });
}

/**
 * First half of a decoder layer for a batch of B sequences of S tokens each, T = B·S:
 *
 *   hidden_out = hidden + attention(norm(hidden)),  normed = norm(hidden_out),  logits = router(normed)
 *
 * Inputs: `hidden` [B, S, H]; weights as stored ([out, in]); `cos`, `sin` [P, headDim/2]; `batch_shape` int64 [3] =
 * (B, S, −1); for the fused kernel `last` int32 [B], each sequence's last position (S − 1), and `length` int32 [1] = S;
 * for the composed one `mask` [S, S], 0 where a row may look and −∞ elsewhere, and `first` int64 [1] = 0.
 * Outputs: `hidden_out` [T, H], `normed` [T, H], and with a router `logits` [T, E]; all f32.
 */
export function attentionGraph(spec: AttentionGraphSpec): Uint8Array<ArrayBuffer> {
  const { hiddenSize, headDim, normEpsilon } = spec;
  const queryWidth = spec.heads * headDim;
  const keyWidth = spec.keyValueHeads * headDim;
  const graph = new GraphBuilder('attention');

  const hidden = graph.input('hidden', 'float32', ['B', 'S', hiddenSize]);
  const batchShape = graph.input('batch_shape', 'int64', [3]);
  const cos = graph.input('cos', 'float32', ['P', headDim / 2]);
  const sin = graph.input('sin', 'float32', ['P', headDim / 2]);

  const project = (name: string, x: string, rows: number, columns: number): string => {
    const weight = graph.input(name, 'float32', [rows, columns]);
    const bias = spec.bias ? graph.input(`${name}_bias`, 'float32', [rows]) : undefined;
    return graph.linear(x, weight, bias);
  };
  const headNorm = (name: string, x: string): string => {
    if (spec.queryKeyNorm === 'none') return x;
    const heads = graph.node('Reshape', [x, graph.ints([-1, headDim])]);
    return graph.rmsNorm(heads, graph.input(name, 'float32', [headDim]), normEpsilon);
  };

  const flat = graph.node('Reshape', [hidden, graph.ints([-1, hiddenSize])]);
  const attentionInput = graph.rmsNorm(flat, graph.input('input_norm', 'float32', [hiddenSize]), normEpsilon);
  const query = headNorm('query_norm', project('query', attentionInput, queryWidth, hiddenSize));
  const key = headNorm('key_norm', project('key', attentionInput, keyWidth, hiddenSize));
  const value = project('value', attentionInput, keyWidth, hiddenSize);
  const [query3, key3, value3] = [query, key, value].map((x) => graph.node('Reshape', [x, batchShape]));
  const inputs = { query: query3 ?? '', key: key3 ?? '', value: value3 ?? '', cos, sin };
  const mixed = spec.kernel === 'fused' ? fusedAttention(graph, spec, inputs) : composedAttention(graph, spec, inputs);
  const attention = project(
    'output',
    graph.node('Reshape', [mixed, graph.ints([-1, queryWidth])]),
    hiddenSize,
    queryWidth,
  );
  const hiddenOut = graph.node('Add', [flat, attention]);
  const normed = graph.rmsNorm(hiddenOut, graph.input('post_attention_norm', 'float32', [hiddenSize]), normEpsilon);

  graph.output('hidden_out', hiddenOut, ['T', hiddenSize]);
  graph.output('normed', normed, ['T', hiddenSize]);
  if (spec.experts > 0) {
    const router = graph.input('router', 'float32', [spec.experts, hiddenSize]);
    graph.output('logits', graph.linear(normed, router), ['T', spec.experts]);
  }
  return graph.build();
}
