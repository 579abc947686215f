import type { PartName } from '../architectures/tensor-parts.ts';
import type { GraphBuilder } from './graph-builder.ts';

/** Name of the graph input that takes a part's weight or bias. */
export function inputName(part: PartName, bias = false): string {
  return bias ? `${part}_bias` : part;
}

/** How the residual stream and latents are normed. */
export interface NormSpec {
  readonly kind: 'rms' | 'rms-plus-one' | 'layer';
  readonly epsilon: number;
}

/** The norm whose weights (and bias) come in under `part`, over the last axis of `width`. */
export function normOf(graph: GraphBuilder, spec: NormSpec, x: string, part: PartName, width: number): string {
  const weight = graph.input(inputName(part), 'float32', [width]);
  if (spec.kind === 'layer') {
    return graph.layerNorm(x, weight, graph.input(inputName(part, true), 'float32', [width]), spec.epsilon);
  }
  // Zero-centred scales: the weight says how far from 1.
  const scale = spec.kind === 'rms-plus-one' ? graph.node('Add', [weight, graph.scalar(1)]) : weight;
  return graph.rmsNorm(x, scale, spec.epsilon);
}

/** x [T, in] through the part's weight [out, in], with its bias where it has one. */
export function project(
  graph: GraphBuilder,
  x: string,
  part: PartName,
  rows: number,
  columns: number,
  bias: boolean,
): string {
  const weight = graph.input(inputName(part), 'float32', [rows, columns]);
  return graph.linear(x, weight, bias ? graph.input(inputName(part, true), 'float32', [rows]) : undefined);
}
