import { StudioError } from '../base/errors.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { referenceGates } from '../routing/reference-gates.ts';
import { type Routing, route } from '../routing/softmax-top-k.ts';
import type { GateMode } from '../saliency/statistics-file.ts';
import { type AttentionWeights, runAttention } from './attention-pass.ts';
import { assignTokens, type ExpertAssignment } from './expert-assignment.ts';
import { runExperts } from './expert-pass.ts';
import { ExpertWeightReader } from './expert-weights.ts';
import type { InferenceBackend } from './inference-backend.ts';
import type { LayerGraphs } from './layer-graphs.ts';
import type { StatisticsCollector } from './statistics-collector.ts';
import type { TokenBlock } from './token-blocks.ts';

const FLOAT_BYTES = 4;

/** What stays the same for all blocks of one layer. */
export interface LayerContext {
  readonly checkpoint: Checkpoint;
  readonly backend: InferenceBackend;
  readonly graphs: LayerGraphs;
  readonly layer: number;
  readonly isMoe: boolean;
  readonly attention: AttentionWeights;
  /** Experts that the router may not choose: the model as if they had been cut out. */
  readonly dropped?: ReadonlySet<number>;
  readonly statistics?: { readonly collector: StatisticsCollector; readonly gate: GateMode };
  readonly signal?: AbortSignal;
  /** Called after each run with the phase and the (token, expert) pairs or tokens done. */
  readonly afterRun: (phase: 'attention' | 'experts', amount: number) => Promise<void>;
}

/** Every token to "expert 0" with gate 1: a dense layer's MLP run as a group of one. */
function denseAssignment(tokens: number): { assignment: ExpertAssignment; gates: Float32Array } {
  const rows = Int32Array.from({ length: tokens }, (_, row) => row);
  return {
    assignment: { offsets: Int32Array.from([0, tokens]), rows, places: rows },
    gates: new Float32Array(tokens).fill(1),
  };
}

function routeLayer(context: LayerContext, logits: Float32Array, tokens: number): Routing {
  const { experts, topK, router } = context.checkpoint.config;
  try {
    return route(logits, tokens, experts, topK, {
      renormalise: router.renormalise,
      ...(context.dropped === undefined ? {} : { dropped: context.dropped }),
    });
  } catch (cause) {
    if (!(cause instanceof StudioError)) throw cause;
    throw new StudioError(cause.family, cause.code, `Layer ${context.layer}: ${cause.message}`, {
      nextStep: cause.nextStep,
      details: { ...cause.details, layer: context.layer },
      cause,
    });
  }
}

/**
 * One decoder layer over one block of tokens.
 * @param hidden [T, H] residual stream before the layer.
 * @returns [T, H] after it; statistics go to the context's collector.
 */
export async function forwardLayer(
  context: LayerContext,
  block: TokenBlock,
  hidden: Float32Array<ArrayBuffer>,
): Promise<Float32Array<ArrayBuffer>> {
  const { backend, checkpoint, graphs, layer, isMoe, statistics } = context;
  const { config, architecture } = checkpoint;
  const result = await runAttention(
    backend,
    graphs,
    context.attention,
    block,
    hidden,
    isMoe ? config.experts : 0,
    (tokens) => context.afterRun('attention', tokens),
  );
  const routing = result.logits === undefined ? undefined : routeLayer(context, result.logits, block.tokens);
  const { assignment, gates } =
    routing === undefined
      ? denseAssignment(block.tokens)
      : { assignment: assignTokens(routing.selected, config.experts, config.topK), gates: routing.gates };
  const width = isMoe ? config.expertWidth : config.denseWidth;
  const names = isMoe ? architecture.tensors.experts : architecture.tensors.dense;
  let observe: Parameters<typeof runExperts>[0]['observe'];
  if (statistics !== undefined && result.logits !== undefined) {
    // The softmax family's own choice is the K largest raw logits, so both gate modes look at the same pairs.
    const statisticsGates =
      statistics.gate === 'model'
        ? gates
        : referenceGates(result.logits, block.tokens, config.experts, config.topK).gates;
    statistics.collector.addTokens(block.domains);
    observe = (observation) => statistics.collector.add(observation, statisticsGates, block.domains);
  }
  await runExperts({
    backend,
    graph: await graphs.experts(width),
    weights: new ExpertWeightReader(checkpoint, names, layer, context.signal),
    normed: result.normed,
    hidden: result.hidden,
    assignment,
    gates,
    expertBytes: 3 * config.hiddenSize * width * FLOAT_BYTES,
    ...(observe === undefined ? {} : { observe }),
    afterRun: (pairs) => context.afterRun('experts', pairs),
  });
  const after = await backend.read(result.hidden);
  result.hidden.dispose();
  result.normed.dispose();
  return after;
}
