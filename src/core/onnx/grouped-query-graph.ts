import type { GroupedQueryMixer } from '../checkpoint/mixer-config.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { inputName, type NormSpec, normOf, project } from './layer-inputs.ts';
import { type BatchInputs, batchInputs, rotatePart } from './rotation.ts';
import { type AttentionKernel, composedAttention } from './softmax-attention.ts';

interface Site {
  readonly graph: GraphBuilder;
  readonly mixer: GroupedQueryMixer;
  readonly norm: NormSpec;
  readonly batch: BatchInputs;
}

function normed({ graph, mixer, norm }: Site, x: string, part: 'query-norm' | 'key-norm', heads: number): string {
  const spec = mixer.queryKeyNorm;
  if (spec === undefined) return x;
  const { headDim } = mixer;
  if (spec.over === 'projection') return normOf(graph, norm, x, part, heads * headDim);
  const rows = graph.reshape(x, [-1, headDim]);
  return spec.unit
    ? graph.rmsNorm(rows, graph.floats(Array(headDim).fill(1)), norm.epsilon)
    : normOf(graph, norm, rows, part, headDim);
}

/** Norm, clamp and rotation of queries or keys [T, heads·headDim]; returns [B, S, heads·headDim]. */
function prepared(site: Site, x: string, part: 'query-norm' | 'key-norm', heads: number): string {
  const { graph, mixer, batch } = site;
  const before = mixer.queryKeyNorm?.place === 'before-rotation' ? normed(site, x, part, heads) : x;
  const clipped = clip(site, before);
  const { rotary, headDim } = mixer;
  const turned =
    rotary === undefined
      ? clipped
      : rotatePart(
          graph,
          graph.reshape(clipped, [-1, heads * headDim]),
          { heads, headDim, dimensions: rotary.dimensions },
          rotary.style,
          batch,
        );
  const after = mixer.queryKeyNorm?.place === 'after-rotation' ? normed(site, turned, part, heads) : turned;
  return graph.node('Reshape', [after, batch.shape]);
}

function clip({ graph, mixer }: Site, x: string): string {
  if (mixer.clip === undefined) return x;
  return graph.node('Clip', [x, graph.scalar(-mixer.clip), graph.scalar(mixer.clip)]);
}

function fused({ graph, mixer }: Site, query: string, key: string, value: string): string {
  const last = graph.input('last', 'int32', ['B']);
  const length = graph.input('length', 'int32', [1]);
  return graph.node(
    'GroupQueryAttention',
    [query, key, value, '', '', last, length],
    {
      num_heads: mixer.heads,
      kv_num_heads: mixer.keyValueHeads,
      do_rotary: 0,
      scale: { float: mixer.scale },
      local_window_size: mixer.window ?? -1,
    },
    { domain: 'com.microsoft', outputs: ['mixed', 'present_key', 'present_value'] },
  );
}

/** Query heads that share a key head form an axis of their own, over which the products broadcast. */
function composed({ graph, mixer }: Site, query: string, key: string, value: string, parts: number): string {
  const { heads, keyValueHeads, headDim } = mixer;
  const shared = heads / keyValueHeads;
  const split = (x: string, rows: number, order: readonly number[]): string =>
    graph.node('Transpose', [graph.reshape(x, [0, 0, keyValueHeads, rows, headDim])], { perm: order });
  const sinks = mixer.sinks
    ? graph.reshape(graph.input(inputName('sinks'), 'float32', [heads]), [1, keyValueHeads, shared, 1, 1])
    : undefined;
  return composedAttention(graph, {
    terms: [{ queries: split(query, shared, [0, 2, 3, 1, 4]), keys: split(key, 1, [0, 2, 3, 4, 1]) }],
    values: split(value, 1, [0, 2, 3, 1, 4]),
    scale: mixer.scale,
    mask: graph.input('mask', 'float32', ['S', 'S']),
    sinks,
    parts,
  });
}

/** Whether onnxruntime's fused kernel can run this attention over sequences of `length` tokens. */
export function fusedFits(mixer: GroupedQueryMixer, length: number): boolean {
  return !mixer.sinks && (mixer.chunk === undefined || length <= mixer.chunk);
}

/**
 * Grouped-query attention over x [T, H]; returns the heads' output [T, heads·headDim] before the output projection.
 * Further inputs: the parts `query`, `key`, `value` (and biases, norms, sinks), `batch_shape`, with rotation `first`, `cos`
 * and `sin`, with a temperature `temperature` [S, 1]; for the fused kernel `last` int32 [B] = S − 1 and `length` int32
 * [1] = S, for the composed one `mask` [S, S].
 */
export function groupedQueryMixer(
  graph: GraphBuilder,
  mixer: GroupedQueryMixer,
  norm: NormSpec,
  kernel: AttentionKernel,
  x: string,
  hidden: number,
): string {
  const { heads, keyValueHeads, headDim, queryKeyValueBias: bias } = mixer;
  const queryWidth = heads * headDim;
  const keyWidth = keyValueHeads * headDim;
  const site: Site = { graph, mixer, norm, batch: batchInputs(graph, mixer.rotary?.dimensions ?? 0) };
  const projected = project(graph, x, 'query', mixer.outputGate ? 2 * queryWidth : queryWidth, hidden, bias);
  const [query = '', gate = ''] = mixer.outputGate
    ? graph
        .split(graph.reshape(projected, [-1, heads, 2 * headDim]), [headDim, headDim], 2)
        .map((half) => graph.reshape(half, [-1, queryWidth]))
    : [projected];
  const positioned = prepared(site, query, 'query-norm', heads);
  const queries =
    mixer.temperature === undefined
      ? positioned
      : graph.node('Mul', [positioned, graph.input('temperature', 'float32', ['S', 1])]);
  const keys = prepared(site, project(graph, x, 'key', keyWidth, hidden, bias), 'key-norm', keyValueHeads);
  const values = graph.node('Reshape', [
    clip(site, project(graph, x, 'value', keyWidth, hidden, bias)),
    site.batch.shape,
  ]);
  const mixed =
    kernel.kind === 'fused' ? fused(site, queries, keys, values) : composed(site, queries, keys, values, kernel.parts);
  const rows = graph.reshape(mixed, [-1, queryWidth]);
  return mixer.outputGate ? graph.node('Mul', [rows, graph.node('Sigmoid', [gate])]) : rows;
}
