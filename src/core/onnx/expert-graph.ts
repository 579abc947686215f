import { GraphBuilder } from './graph-builder.ts';

/**
 * A group of G experts over C rows each: y = down(silu(gate x) · up x), and what saliency needs of y.
 *
 * Inputs: `x` [G, C, H]; `gate`, `up` [G, I, H] and `down` [G, H, I] as checkpoints store them.
 * Outputs: `y` [G, C, H]; `norm` [G, C], the L2 norm of each row of y; `max_abs` [G, C], its largest |component|.
 *
 * The products are taken as W·xᵀ: both factors then lie as a plain MatMul wants them, without a transposed copy of any
 * weight. G = 1 runs one large expert, G > 1 many small ones at once; padded rows are zero and stay zero.
 */
export function expertGraph(hiddenSize: number, innerSize: number): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder('experts');
  const x = graph.input('x', 'float32', ['G', 'C', hiddenSize]);
  const gate = graph.input('gate', 'float32', ['G', innerSize, hiddenSize]);
  const up = graph.input('up', 'float32', ['G', innerSize, hiddenSize]);
  const down = graph.input('down', 'float32', ['G', hiddenSize, innerSize]);

  const columns = graph.node('Transpose', [x], { perm: [0, 2, 1] });
  const gated = graph.node('MatMul', [gate, columns]);
  const silu = graph.node('Mul', [gated, graph.node('Sigmoid', [gated])]);
  const inner = graph.node('Mul', [silu, graph.node('MatMul', [up, columns])]);
  const y = graph.node('Transpose', [graph.node('MatMul', [down, inner])], { perm: [0, 2, 1] });
  const lastAxis = graph.ints([2]);

  graph.output('y', y, ['G', 'C', hiddenSize]);
  graph.output('norm', graph.node('ReduceL2', [y, lastAxis], { keepdims: 0 }), ['G', 'C']);
  graph.output('max_abs', graph.node('ReduceMax', [graph.node('Abs', [y]), lastAxis], { keepdims: 0 }), ['G', 'C']);
  return graph.build();
}
