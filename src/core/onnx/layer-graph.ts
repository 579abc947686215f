import type { PartName } from '../architectures/tensor-parts.ts';
import type { Mixer } from '../checkpoint/mixer-config.ts';
import { GraphBuilder } from './graph-builder.ts';
import { groupedQueryMixer } from './grouped-query-graph.ts';
import { latentMixer } from './latent-graph.ts';
import { inputName, type NormSpec, normOf, project } from './layer-inputs.ts';
import type { AttentionKernel } from './softmax-attention.ts';

/** What a layer's first half reads and gives. */
export interface LayerGraphSpec {
  readonly hiddenSize: number;
  readonly norm: NormSpec;
  /** Attention inside the graph; `outside`: mixed rows of `width` come in as `mixed`; undefined: the layer mixes nothing. */
  readonly mixer:
    | { readonly kind: 'inside'; readonly mixer: Mixer; readonly kernel: AttentionKernel }
    | { readonly kind: 'outside'; readonly part: PartName; readonly width: number; readonly bias: boolean }
    | undefined;
  /** Factor of what the mixer adds to the residual stream. */
  readonly residual: number;
  /** Router rows (0: no router), whether it has a bias, and whether the shared expert has a gate. */
  readonly router: { readonly rows: number; readonly bias: boolean; readonly sharedGate: boolean };
  /** The layer has a second half, which reads the normed stream. */
  readonly feedForward: boolean;
}

function mixed(
  graph: GraphBuilder,
  spec: LayerGraphSpec,
  flat: string,
): { rows: string; part: PartName; width: number; bias: boolean } | undefined {
  const { mixer, norm, hiddenSize } = spec;
  if (mixer === undefined) return undefined;
  if (mixer.kind === 'outside') {
    const rows = graph.input('mixed', 'float32', ['T', mixer.width]);
    return { rows, part: mixer.part, width: mixer.width, bias: mixer.bias };
  }
  const x = normOf(graph, norm, flat, 'input-norm', hiddenSize);
  const inner = mixer.mixer;
  if (inner.kind === 'grouped-query') {
    const rows = groupedQueryMixer(graph, inner, norm, mixer.kernel, x, hiddenSize);
    return { rows, part: 'output', width: inner.heads * inner.headDim, bias: inner.outputBias };
  }
  if (inner.kind === 'latent') {
    const parts = mixer.kernel.kind === 'composed' ? mixer.kernel.parts : 1;
    const rows = latentMixer(graph, inner, { kind: 'rms', epsilon: inner.normEpsilon }, parts, x, hiddenSize);
    return { rows, part: 'output', width: inner.heads * inner.valueDim, bias: inner.bias };
  }
  throw new RangeError(`a ${inner.kind} is not computed inside a graph`);
}

/**
 * First half of a decoder layer for T rows of the residual stream:
 *
 *   hidden_out = hidden + residual · output(mix(norm(hidden))),  normed = norm(hidden_out),  logits = router(normed)
 *
 * Inputs: `hidden` [T, H]; weights as stored ([out, in]) under their parts' names; what the mixer needs (see there).
 * Outputs: with a mixer `hidden_out` [T, H]; with a second half `normed` [T, H]; with a router `logits` [T, rows]; with a
 * gated shared expert `shared_gate` [T, 1] before its sigmoid; all f32.
 */
export function layerGraph(spec: LayerGraphSpec): Uint8Array<ArrayBuffer> {
  const { hiddenSize, norm, router } = spec;
  const graph = new GraphBuilder('layer');
  const flat = graph.input('hidden', 'float32', ['T', hiddenSize]);
  const mix = mixed(graph, spec, flat);
  let hidden = flat;
  if (mix !== undefined) {
    const output = project(graph, mix.rows, mix.part, hiddenSize, mix.width, mix.bias);
    const added = spec.residual === 1 ? output : graph.node('Mul', [output, graph.scalar(spec.residual)]);
    hidden = graph.node('Add', [flat, added]);
    graph.output('hidden_out', hidden, ['T', hiddenSize]);
  }
  if (spec.feedForward) {
    const part = mix === undefined ? 'input-norm' : 'post-attention-norm';
    const normed = normOf(graph, norm, hidden, part, hiddenSize);
    graph.output('normed', normed, ['T', hiddenSize]);
    if (router.rows > 0) {
      graph.output('logits', project(graph, normed, 'router', router.rows, hiddenSize, router.bias), [
        'T',
        router.rows,
      ]);
    }
    if (router.sharedGate) {
      const gate = graph.linear(normed, graph.input(inputName('shared-expert-gate'), 'float32', [1, hiddenSize]));
      graph.output('shared_gate', gate, ['T', 1]);
    }
  }
  return graph.build();
}

/**
 * The projections in front of a mixer that runs outside: norm(hidden) through each part. Inputs `hidden` [T, H], `input-norm`
 * and the parts' weights; outputs named as the parts, [T, rows].
 */
export function projectionGraph(
  hiddenSize: number,
  norm: NormSpec,
  parts: readonly { readonly part: PartName; readonly rows: number; readonly bias: boolean }[],
): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder('projections');
  const flat = graph.input('hidden', 'float32', ['T', hiddenSize]);
  const x = normOf(graph, norm, flat, 'input-norm', hiddenSize);
  for (const { part, rows, bias } of parts) {
    graph.output(`${part}_rows`, project(graph, x, part, rows, hiddenSize, bias), ['T', rows]);
  }
  return graph.build();
}
