import { GraphBuilder } from './graph-builder.ts';

/** What kind of MLP an expert, a shared expert or a dense layer is. */
export interface ExpertGraphSpec {
  readonly hiddenSize: number;
  readonly innerSize: number;
  readonly activation: 'silu' | 'clamped-swiglu' | 'relu-squared';
  /** Bound of `clamped-swiglu`. */
  readonly limit: number;
  readonly bias: boolean;
  /** Rows come with a factor of their own, which multiplies the expert's input (Llama-4). */
  readonly scaledInput: boolean;
}

/** Factor of the gate inside gpt-oss's sigmoid (its model card: alpha). */
const ALPHA = 1.702;

type Weights = Readonly<Record<'gate' | 'up' | 'down', { readonly weight: string; readonly bias: string | undefined }>>;

function activated(graph: GraphBuilder, spec: ExpertGraphSpec, gate: string, up: string): string {
  if (spec.activation === 'relu-squared') {
    const positive = graph.node('Relu', [up]);
    return graph.node('Mul', [positive, positive]);
  }
  if (spec.activation === 'silu')
    return graph.node('Mul', [graph.node('Mul', [gate, graph.node('Sigmoid', [gate])]), up]);
  const limit = graph.scalar(spec.limit);
  const bounded = graph.node('Min', [gate, limit]);
  const clamped = graph.node('Clip', [up, graph.scalar(-spec.limit), limit]);
  const swish = graph.node('Mul', [
    bounded,
    graph.node('Sigmoid', [graph.node('Mul', [bounded, graph.scalar(ALPHA)])]),
  ]);
  return graph.node('Mul', [graph.node('Add', [clamped, graph.scalar(1)]), swish]);
}

/** y [G, C, H] of columns xᵀ [G, H, C]. */
function mlp(graph: GraphBuilder, spec: ExpertGraphSpec, weights: Weights, columns: string): string {
  const linear = ({ weight, bias }: Weights['gate'], x: string): string => {
    const product = graph.node('MatMul', [weight, x]);
    return bias === undefined ? product : graph.node('Add', [product, bias]);
  };
  const gate = spec.activation === 'relu-squared' ? '' : linear(weights.gate, columns);
  const inner = activated(graph, spec, gate, linear(weights.up, columns));
  return graph.node('Transpose', [linear(weights.down, inner)], { perm: [0, 2, 1] });
}

/**
 * A group of G experts over C rows each: y = down(activation(gate x) · up x), and what saliency needs of it.
 *
 * Inputs: `x` [G, C, H]; `gate`, `up` [G, I, H] and `down` [G, H, I] as checkpoints store them (no gate for
 * `relu-squared`); with biases `gate_bias`, `up_bias` [G, I, 1] and `down_bias` [G, H, 1]; with scaled input `scale`
 * [G, C, 1].
 * Outputs: `y` [G, C, H]; `norm` [G, C], the L2 norm of each row of the expert's output before any gate; `max_abs`
 * [G, C], its largest |component|. With scaled input `y` is of scale·x, and the other two of x itself.
 *
 * The products are taken as W·xᵀ: both factors then lie as a plain MatMul wants them, without a transposed copy of any
 * weight. G = 1 runs one large expert, G > 1 many small ones at once; padded rows are zero.
 */
export function expertGraph(spec: ExpertGraphSpec): Uint8Array<ArrayBuffer> {
  const { hiddenSize, innerSize } = spec;
  const graph = new GraphBuilder('experts');
  const x = graph.input('x', 'float32', ['G', 'C', hiddenSize]);
  const weight = (name: 'gate' | 'up' | 'down', rows: number, columns: number): Weights['gate'] => ({
    weight: graph.input(name, 'float32', ['G', rows, columns]),
    bias: spec.bias ? graph.input(`${name}_bias`, 'float32', ['G', rows, 1]) : undefined,
  });
  const weights: Weights = {
    gate: spec.activation === 'relu-squared' ? { weight: '', bias: undefined } : weight('gate', innerSize, hiddenSize),
    up: weight('up', innerSize, hiddenSize),
    down: weight('down', hiddenSize, innerSize),
  };
  const own = mlp(graph, spec, weights, graph.node('Transpose', [x], { perm: [0, 2, 1] }));
  let y = own;
  if (spec.scaledInput) {
    const scaled = graph.node('Mul', [x, graph.input('scale', 'float32', ['G', 'C', 1])]);
    y = mlp(graph, spec, weights, graph.node('Transpose', [scaled], { perm: [0, 2, 1] }));
  }
  const lastAxis = graph.ints([2]);
  graph.output('y', y, ['G', 'C', hiddenSize]);
  graph.output('norm', graph.node('ReduceL2', [own, lastAxis], { keepdims: 0 }), ['G', 'C']);
  graph.output('max_abs', graph.node('ReduceMax', [graph.node('Abs', [own]), lastAxis], { keepdims: 0 }), ['G', 'C']);
  return graph.build();
}
