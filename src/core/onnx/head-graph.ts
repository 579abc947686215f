import { GraphBuilder } from './graph-builder.ts';
import { type NormSpec, normOf, project } from './layer-inputs.ts';

export interface HeadGraphSpec {
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  readonly norm: NormSpec;
  readonly bias: boolean;
  /** Logits are divided by this. */
  readonly logitsDivisor: number;
}

/**
 * The language model's head over T tokens: logits = head(norm(hidden)), nll = log Σ exp logits − logits[target].
 *
 * Inputs: `hidden` [T, H], `final-norm` [H], `head` [V, H] (and biases), `target` int32 [T, 1].
 * Outputs: `logits` [T, V], `nll` [T, 1] in nats. Ask for the outputs that are needed: logits are large.
 */
export function headGraph(spec: HeadGraphSpec): Uint8Array<ArrayBuffer> {
  const { hiddenSize, vocabularySize } = spec;
  const graph = new GraphBuilder('head');
  const hidden = graph.input('hidden', 'float32', ['T', hiddenSize]);
  const target = graph.input('target', 'int32', ['T', 1]);
  const normed = normOf(graph, spec.norm, hidden, 'final-norm', hiddenSize);
  const products = project(graph, normed, 'head', vocabularySize, hiddenSize, spec.bias);
  const logits =
    spec.logitsDivisor === 1 ? products : graph.node('Mul', [products, graph.scalar(1 / spec.logitsDivisor)]);
  const axis = graph.ints([1]);
  const largest = graph.node('ReduceMax', [logits, axis], { keepdims: 1 });
  const exponentials = graph.node('Exp', [graph.node('Sub', [logits, largest])]);
  const logSum = graph.node('Log', [graph.node('ReduceSum', [exponentials, axis], { keepdims: 1 })]);
  const chosen = graph.node('Sub', [graph.node('GatherElements', [logits, target], { axis: 1 }), largest]);

  graph.output('logits', logits, ['T', vocabularySize]);
  graph.output('nll', graph.node('Sub', [logSum, chosen]), ['T', 1]);
  return graph.build();
}
