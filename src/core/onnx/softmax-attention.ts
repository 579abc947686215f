import type { GraphBuilder } from './graph-builder.ts';

/**
 * `fused`: onnxruntime's GroupQueryAttention, which never holds the scores; fast on a GPU, slow on a CPU (measured on
 * WebAssembly, 512 tokens: a fifth to an eighth of the speed of the other).
 * `composed`: MatMul, mask, Softmax, MatMul over one part of the queries after the other.
 */
export type AttentionKernel = { readonly kind: 'fused' } | { readonly kind: 'composed'; readonly parts: number };

/** Queries [B, G, R, S, d] and keys [B, G, 1, d, S], whose products add up; G key heads, R query heads to each. */
export interface ScoreTerm {
  readonly queries: string;
  readonly keys: string;
}

export interface ComposedAttention {
  readonly terms: readonly ScoreTerm[];
  /** [B, G, 1, S, v] */
  readonly values: string;
  readonly scale: number;
  /** [S, S]: 0 where a row may look, −∞ elsewhere. */
  readonly mask: string;
  /** [1, G, R, 1, 1]: a logit that takes part in each softmax and is dropped. */
  readonly sinks: string | undefined;
  readonly parts: number;
}

/** softmax with one more logit: e^(s − m) / (Σ e^(s − m) + e^(sink − m)), m the largest of all. */
function softmaxWithSink(graph: GraphBuilder, scores: string, sinks: string): string {
  const axis = graph.ints([-1]);
  const largest = graph.node('Max', [graph.node('ReduceMax', [scores, axis], { keepdims: 1 }), sinks]);
  const powers = graph.node('Exp', [graph.node('Sub', [scores, largest])]);
  const sink = graph.node('Exp', [graph.node('Sub', [sinks, largest])]);
  const sum = graph.node('Add', [graph.node('ReduceSum', [powers, axis], { keepdims: 1 }), sink]);
  return graph.node('Div', [powers, sum]);
}

/** Mixes values by softmaxed scores; returns [B, S, G, R, v]. The scores of one part of the queries lie in memory at once. */
export function composedAttention(graph: GraphBuilder, attention: ComposedAttention): string {
  const { terms, values, scale, mask, sinks, parts } = attention;
  const cut = (x: string, axis: number): string[] => (parts === 1 ? [x] : graph.splitEvenly(x, parts, axis));
  const factor = graph.scalar(scale);
  const queryParts = terms.map(({ queries }) => cut(graph.node('Mul', [queries, factor]), 3));
  const mixed = cut(mask, 0).map((maskPart, part) => {
    const products = terms.map(({ keys }, term) => graph.node('MatMul', [queryParts[term]?.[part] ?? '', keys]));
    const sum = products.reduce((total, product) => graph.node('Add', [total, product]));
    const scores = graph.node('Add', [sum, maskPart]);
    const shares =
      sinks === undefined ? graph.node('Softmax', [scores], { axis: -1 }) : softmaxWithSink(graph, scores, sinks);
    return graph.node('MatMul', [shares, values]);
  });
  const whole = mixed.length === 1 ? (mixed[0] ?? '') : graph.node('Concat', mixed, { axis: 3 });
  return graph.node('Transpose', [whole], { perm: [0, 3, 1, 2, 4] });
}
