import { StudioError } from '../base/errors.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { referenceGates } from '../routing/reference-gates.ts';
import { route } from '../routing/route.ts';
import type { Routing } from '../routing/router.ts';
import type { GateMode } from '../saliency/statistics-file.ts';
import { assignTokens, type ExpertAssignment } from './expert-assignment.ts';
import { type ExpertObservation, runExperts } from './expert-pass.ts';
import { ExpertWeightReader } from './expert-weights.ts';
import { type FirstHalf, runFirstHalf } from './first-half.ts';
import { addIdentityExperts } from './identity-experts.ts';
import type { BackendLimits, BackendTensor, InferenceBackend } from './inference-backend.ts';
import type { LayerGraphs, MlpUse } from './layer-graphs.ts';
import type { LayerWeights } from './layer-weights.ts';
import { observedPairs } from './observed-pairs.ts';
import type { StatisticsCollector } from './statistics-collector.ts';
import type { TokenBlock } from './token-blocks.ts';

const FLOAT_BYTES = 4;

/** What stays the same for all blocks of one layer. */
export interface LayerContext {
  readonly checkpoint: Checkpoint;
  readonly backend: InferenceBackend;
  readonly limits: BackendLimits;
  readonly graphs: LayerGraphs;
  readonly layer: number;
  readonly weights: LayerWeights;
  /** Experts that the router may not choose: the model as if they had been cut out. */
  readonly dropped?: ReadonlySet<number>;
  readonly statistics?: { readonly collector: StatisticsCollector; readonly gate: GateMode };
  readonly signal?: AbortSignal;
  /** Called after each run with the phase and the (token, expert) pairs or tokens done. */
  readonly afterRun: (phase: 'attention' | 'experts', amount: number) => Promise<void>;
}

function routeLayer(context: LayerContext, logits: Float32Array, tokens: number): Routing {
  const { correctionBias } = context.weights;
  try {
    return route(context.checkpoint.config.router, {
      logits,
      tokens,
      ...(correctionBias === undefined ? {} : { correctionBias }),
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

interface MlpRun {
  readonly use: MlpUse;
  readonly step: number;
  /** [T, H] what the MLP reads, and the rows that it is added into. */
  readonly normed: BackendTensor;
  readonly into: BackendTensor;
  readonly assignment: ExpertAssignment;
  /** Factor of each pair, by place. */
  readonly factors: Float32Array;
  /** Factor of each pair's input, by place, where the family scales inputs. */
  readonly inputFactors?: Float32Array;
  readonly observe?: (observation: ExpertObservation) => void;
}

async function runMlp(context: LayerContext, run: MlpRun): Promise<void> {
  const { backend, checkpoint, graphs, layer } = context;
  const { hiddenSize, innerSize } = graphs.expertSpec(run.use);
  await runExperts({
    backend,
    limits: context.limits,
    graph: await graphs.experts(run.use),
    weights: new ExpertWeightReader(checkpoint, { use: run.use, layer, step: run.step }, context.signal),
    normed: run.normed,
    hidden: run.into,
    assignment: run.assignment,
    gates: run.factors,
    ...(run.inputFactors === undefined ? {} : { inputFactors: run.inputFactors }),
    expertBytes: 3 * hiddenSize * innerSize * FLOAT_BYTES,
    ...(run.observe === undefined ? {} : { observe: run.observe }),
    afterRun: (pairs) => context.afterRun('experts', pairs),
  });
}

/** Every token to "expert 0". */
function everyToken(tokens: number): ExpertAssignment {
  const rows = Int32Array.from({ length: tokens }, (_, row) => row);
  return { offsets: Int32Array.from([0, tokens]), rows, places: rows };
}

/** A dense layer's MLP or a shared expert over all tokens. `gate` [T] holds the shared expert's gate before its sigmoid. */
async function runPlain(
  context: LayerContext,
  use: 'dense' | 'shared',
  step: number,
  tokens: number,
  tensors: { readonly normed: BackendTensor; readonly into: BackendTensor },
  gate?: Float32Array,
): Promise<void> {
  const { residual } = context.checkpoint.config.multipliers;
  const factors = Float32Array.from({ length: tokens }, (_, token) =>
    gate === undefined ? residual : residual / (1 + Math.exp(-(gate[token] ?? 0))),
  );
  await runMlp(context, { use, step, ...tensors, assignment: everyToken(tokens), factors });
}

/** The routed experts and the shared one: into[t] += residual · (Σ gate · expert(normed[t]) + shared(normed[t])). */
async function runMoe(
  context: LayerContext,
  block: TokenBlock,
  { logits = new Float32Array(), sharedGate }: FirstHalf,
  tensors: { readonly normed: BackendTensor; readonly into: BackendTensor },
): Promise<void> {
  const { checkpoint, statistics, backend } = context;
  const { config } = checkpoint;
  const { residual } = config.multipliers;
  const routing = routeLayer(context, logits, block.tokens);
  const reference =
    statistics?.gate === 'reference'
      ? referenceGates(logits, block.tokens, config.experts, config.topK, config.router.identityExperts)
      : undefined;
  const pairs = observedPairs(routing, reference, block.tokens, config.topK, config.experts);
  const scaled = config.gateOn === 'input';
  let observe: MlpRun['observe'];
  if (statistics !== undefined) {
    statistics.collector.addTokens(block.domains);
    observe = (observation) => statistics.collector.add(observation, pairs.observedGates, block.domains);
  }
  await runMlp(context, {
    use: 'routed',
    step: 0,
    ...tensors,
    assignment: assignTokens(pairs.selected, config.experts, pairs.perToken),
    factors: pairs.gates.map((gate) => (scaled && gate !== 0 ? residual : residual * gate)),
    ...(scaled ? { inputFactors: pairs.gates } : {}),
    ...(observe === undefined ? {} : { observe }),
  });
  if (config.router.identityExperts > 0) addIdentityExperts(backend, routing, config, residual, tensors);
  if (config.sharedWidth > 0) await runPlain(context, 'shared', 0, block.tokens, tensors, sharedGate);
}

async function runHalf(
  context: LayerContext,
  block: TokenBlock,
  step: number,
  hidden: Float32Array<ArrayBuffer>,
): Promise<FirstHalf> {
  const { checkpoint, backend, graphs, layer } = context;
  const { config, architecture } = checkpoint;
  const plan = config.layerPlans[layer];
  const routed = plan?.moe === true && step === 0;
  return runFirstHalf(
    {
      backend,
      limits: context.limits,
      graphs,
      weights: context.weights.steps[step] ?? { inputs: {}, host: new Map() },
      block,
      layer,
      step,
      mixer: plan?.mixer,
      routerRows: routed ? config.experts + config.router.identityExperts : 0,
      sharedGate: routed && config.sharedWidth > 0 && architecture.shared?.gated === true,
      feedForward: routed || plan?.dense === true,
      afterBatch: (tokens) => context.afterRun('attention', tokens),
    },
    hidden,
  );
}

async function finish(backend: InferenceBackend, { hidden, normed }: FirstHalf): Promise<Float32Array<ArrayBuffer>> {
  const after = await backend.read(hidden);
  hidden.dispose();
  normed?.dispose();
  return after;
}

/** Mixer, then experts or an MLP (or neither). */
async function sequentialLayer(
  context: LayerContext,
  block: TokenBlock,
  hidden: Float32Array<ArrayBuffer>,
): Promise<Float32Array<ArrayBuffer>> {
  const plan = context.checkpoint.config.layerPlans[context.layer];
  const half = await runHalf(context, block, 0, hidden);
  if (half.normed !== undefined) {
    const tensors = { normed: half.normed, into: half.hidden };
    if (plan?.moe === true) await runMoe(context, block, half, tensors);
    else if (plan?.dense === true) await runPlain(context, 'dense', 0, block.tokens, tensors);
  }
  return finish(context.backend, half);
}

/** Two mixers and two MLPs; the experts read what the first MLP reads and are added at the end (arXiv 2509.01322). */
async function shortcutLayer(
  context: LayerContext,
  block: TokenBlock,
  hidden: Float32Array<ArrayBuffer>,
): Promise<Float32Array<ArrayBuffer>> {
  const { backend } = context;
  const plan = context.checkpoint.config.layerPlans[context.layer];
  const width = hidden.length / block.tokens;
  const first = await runHalf(context, block, 0, hidden);
  const shortcut = backend.zeros([block.tokens, width]);
  if (first.normed !== undefined) {
    if (plan?.moe === true) await runMoe(context, block, first, { normed: first.normed, into: shortcut });
    await runPlain(context, 'dense', 0, block.tokens, { normed: first.normed, into: first.hidden });
  }
  const second = await runHalf(context, block, 1, await finish(backend, first));
  if (second.normed !== undefined) {
    await runPlain(context, 'dense', 1, block.tokens, { normed: second.normed, into: second.hidden });
  }
  const rows = Int32Array.from({ length: block.tokens }, (_, row) => row);
  const ones = new Float32Array(block.tokens).fill(1);
  const routed = backend.view(shortcut, [1, block.tokens, width]);
  backend.scatterAddRows(second.hidden, rows, ones, routed);
  routed.dispose();
  return finish(backend, second);
}

/**
 * One decoder layer over one block of tokens.
 * @param hidden [T, H] residual stream before the layer.
 * @returns [T, H] after it; statistics go to the context's collector.
 */
export function forwardLayer(
  context: LayerContext,
  block: TokenBlock,
  hidden: Float32Array<ArrayBuffer>,
): Promise<Float32Array<ArrayBuffer>> {
  const run = context.checkpoint.architecture.layerOrder === 'shortcut' ? shortcutLayer : sequentialLayer;
  return run(context, block, hidden);
}
