import type { GraphBuilder } from './graph-builder.ts';

/** Sizes of the batch as graph inputs: `batch_shape` int64 [3] = (B, S, −1) and `first` int64 [1] = 0. */
export interface BatchInputs {
  readonly shape: string;
  readonly first: string;
  readonly cos: string;
  readonly sin: string;
}

/** Declares the inputs that a rotation reads; cos and sin [P, dimensions / 2]. */
export function batchInputs(graph: GraphBuilder, rotatedDimensions: number): BatchInputs {
  const shape = graph.input('batch_shape', 'int64', [3]);
  if (rotatedDimensions === 0) return { shape, first: '', cos: '', sin: '' };
  return {
    shape,
    first: graph.input('first', 'int64', [1]),
    cos: graph.input('cos', 'float32', ['P', rotatedDimensions / 2]),
    sin: graph.input('sin', 'float32', ['P', rotatedDimensions / 2]),
  };
}

/** Turns every head of x [T, heads·dimensions] by its token's position; returns [B, S, heads·dimensions]. */
export function rotate(
  graph: GraphBuilder,
  x: string,
  heads: number,
  style: 'halves' | 'interleaved',
  batch: BatchInputs,
): string {
  const rows = graph.node('Reshape', [x, batch.shape]);
  return graph.node(
    'RotaryEmbedding',
    [rows, batch.first, batch.cos, batch.sin],
    { num_heads: heads, interleaved: style === 'interleaved' ? 1 : 0 },
    { domain: 'com.microsoft' },
  );
}

/** Turns the leading `dimensions` of every head of x [T, heads·headDim] and leaves the rest; returns [B, S, heads·headDim]. */
export function rotatePart(
  graph: GraphBuilder,
  x: string,
  sizes: { readonly heads: number; readonly headDim: number; readonly dimensions: number },
  style: 'halves' | 'interleaved',
  batch: BatchInputs,
): string {
  const { heads, headDim, dimensions } = sizes;
  if (dimensions === headDim) return rotate(graph, x, heads, style, batch);
  const [turning = '', still = ''] = graph.split(
    graph.reshape(x, [-1, heads, headDim]),
    [dimensions, headDim - dimensions],
    2,
  );
  const turned = rotate(graph, graph.reshape(turning, [-1, heads * dimensions]), heads, style, batch);
  const joined = graph.node('Concat', [graph.reshape(turned, [-1, heads, dimensions]), still], { axis: 2 });
  return graph.node('Reshape', [joined, batch.shape]);
}
