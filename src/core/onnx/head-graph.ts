import { GraphBuilder } from './graph-builder.ts';

/**
 * The language model's head over T tokens: logits = head(norm(hidden)), nll = log Σ exp logits − logits[target].
 *
 * Inputs: `hidden` [T, H], `final_norm` [H], `head` [V, H], `target` int32 [T, 1].
 * Outputs: `logits` [T, V], `nll` [T, 1] in nats. Ask for the outputs that are needed: logits are large.
 */
export function headGraph(hiddenSize: number, vocabularySize: number, normEpsilon: number): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder('head');
  const hidden = graph.input('hidden', 'float32', ['T', hiddenSize]);
  const scale = graph.input('final_norm', 'float32', [hiddenSize]);
  const head = graph.input('head', 'float32', [vocabularySize, hiddenSize]);
  const target = graph.input('target', 'int32', ['T', 1]);

  const logits = graph.linear(graph.rmsNorm(hidden, scale, normEpsilon), head);
  const axis = graph.ints([1]);
  const largest = graph.node('ReduceMax', [logits, axis], { keepdims: 1 });
  const exponentials = graph.node('Exp', [graph.node('Sub', [logits, largest])]);
  const logSum = graph.node('Log', [graph.node('ReduceSum', [exponentials, axis], { keepdims: 1 })]);
  const chosen = graph.node('Sub', [graph.node('GatherElements', [logits, target], { axis: 1 }), largest]);

  graph.output('logits', logits, ['T', vocabularySize]);
  graph.output('nll', graph.node('Sub', [logSum, chosen]), ['T', 1]);
  return graph.build();
}
