import { checkSequences, embedBlock } from '../calibration/calibrate.ts';
import { forwardLayer } from '../calibration/forward-layer.ts';
import type { BackendLimits, BackendTensor, InferenceBackend } from '../calibration/inference-backend.ts';
import { LayerGraphs } from '../calibration/layer-graphs.ts';
import { disposeLayerWeights, loadLayerWeights } from '../calibration/layer-weights.ts';
import { shareMemory } from '../calibration/memory-budget.ts';
import { DEFAULT_MEMORY_BUDGET } from '../calibration/memory-default.ts';
import type { RunControl } from '../calibration/run-control.ts';
import { cutIntoBlocks, type TokenBlock } from '../calibration/token-blocks.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { readStored } from '../checkpoint/read-weights.ts';
import { weightTable } from '../checkpoint/weight-table.ts';
import { headGraph } from '../onnx/head-graph.ts';
import { inputName } from '../onnx/layer-inputs.ts';
import type { PruningPlan } from '../plan/pruning-plan.ts';

/** Logits of one run of the head, in elements: 256 MB of f32. */
const MAX_LOGITS = 64 * 1024 * 1024;

export interface EvaluationOptions {
  readonly checkpoint: Checkpoint;
  readonly backend: InferenceBackend;
  /** Token sequences, an array a domain; each token but a sequence's first is predicted. */
  readonly domains: readonly (readonly Int32Array[])[];
  /** The model as this plan would export it: dropped experts' router logits are −∞. Without it, the model as it is. */
  readonly plan?: PruningPlan;
  readonly control: RunControl;
  /** 0..1 over layers and head. */
  readonly onProgress?: (fraction: number) => void;
}

/** Next-token loss over one domain, natural logarithm. */
export interface DomainLoss {
  /** Σ −ln p(token) over the predicted tokens, in nats. */
  readonly nllSum: number;
  readonly predictedTokens: number;
  /** nllSum / predictedTokens; NaN when nothing was predicted. */
  readonly meanNll: number;
  /** exp(meanNll). */
  readonly perplexity: number;
  /** nllSum of each sequence. */
  readonly sequences: readonly number[];
}

/** For each token of a block, the id that follows it in its sequence; the last of a sequence has none and gets 0. */
function targetsOf(block: TokenBlock): Int32Array<ArrayBuffer> {
  const targets = new Int32Array(block.tokens);
  for (const { start, length } of block.sequences) targets.set(block.ids.subarray(start + 1, start + length), start);
  return targets;
}

/** The head's graph inputs; tied embeddings are the head themselves. */
async function headWeights(
  backend: InferenceBackend,
  checkpoint: Checkpoint,
  signal: AbortSignal,
): Promise<Record<string, BackendTensor>> {
  const table = weightTable(checkpoint);
  const head = { part: checkpoint.config.tiedEmbeddings ? 'embedding' : 'head' } as const;
  const stored = {
    [inputName('head')]: table.weight(head),
    [inputName('head', true)]: table.bias({ part: 'head' }),
    [inputName('final-norm')]: table.weight({ part: 'final-norm' }),
    [inputName('final-norm', true)]: table.bias({ part: 'final-norm' }),
  };
  const wanted = Object.entries(stored).flatMap(([name, weight]) => (weight === undefined ? [] : [{ name, weight }]));
  const loaded = await readStored(
    checkpoint,
    wanted.map(({ weight }) => weight),
    signal,
  );
  const inputs: Record<string, BackendTensor> = {};
  for (const [index, { name }] of wanted.entries()) {
    const weight = loaded[index];
    if (weight !== undefined) inputs[name] = backend.view(await backend.uploadWeights([weight]), weight.shape);
  }
  return inputs;
}

function droppedByLayer(plan: PruningPlan | undefined): ReadonlyMap<number, ReadonlySet<number>> {
  return new Map(plan?.layers.map(({ layer, drop }) => [layer, new Set(drop)]));
}

/** Runs all layers over all blocks; returns the blocks' final hidden states. */
async function forwardAll(
  options: EvaluationOptions,
  blocks: readonly TokenBlock[],
  graphs: LayerGraphs,
  limits: BackendLimits,
): Promise<Float32Array<ArrayBuffer>[]> {
  const { checkpoint, backend, control } = options;
  const { signal } = control;
  const dropped = droppedByLayer(options.plan);
  const hidden: Float32Array<ArrayBuffer>[] = [];
  for (const block of blocks) hidden.push(await embedBlock(checkpoint, block, signal));
  const steps = checkpoint.config.layers + 1;
  for (let layer = 0; layer < checkpoint.config.layers; layer++) {
    const weights = await loadLayerWeights(backend, checkpoint, layer, signal);
    const mask = dropped.get(layer);
    for (const [index, block] of blocks.entries()) {
      const context = {
        checkpoint,
        backend,
        limits,
        graphs,
        layer,
        weights,
        signal,
        ...(mask === undefined ? {} : { dropped: mask }),
        afterRun: () => control.pass(),
      };
      hidden[index] = await forwardLayer(context, block, hidden[index] ?? new Float32Array());
    }
    disposeLayerWeights(weights);
    options.onProgress?.((layer + 1) / steps);
  }
  return hidden;
}

/** Loss of each token's prediction of the next, [T]; a sequence's last token predicts nothing and its entry is unused. */
async function blockLosses(
  options: EvaluationOptions,
  graph: Awaited<ReturnType<InferenceBackend['loadGraph']>>,
  weights: Record<string, BackendTensor>,
  block: TokenBlock,
  hidden: Float32Array<ArrayBuffer>,
): Promise<Float32Array> {
  const { backend, control } = options;
  const { hiddenSize, vocabularySize } = options.checkpoint.config;
  const step = Math.max(1, Math.floor(MAX_LOGITS / vocabularySize));
  const targets = targetsOf(block);
  const losses = new Float32Array(block.tokens);
  for (let start = 0; start < block.tokens; start += step) {
    const count = Math.min(step, block.tokens - start);
    const inputs = {
      hidden: backend.upload('float32', hidden.slice(start * hiddenSize, (start + count) * hiddenSize), [
        count,
        hiddenSize,
      ]),
      target: backend.upload('int32', targets.slice(start, start + count), [count, 1]),
    };
    const { nll } = await graph.run({ ...inputs, ...weights }, ['nll']);
    losses.set(await backend.read(nll), start);
    for (const tensor of [...Object.values(inputs), nll]) tensor.dispose();
    await control.pass();
  }
  return losses;
}

/**
 * Next-token loss of the model, or of the model that a plan would leave, per domain. Masking the router of a softmax
 * model before its softmax gives exactly what the exported model computes.
 * @throws StudioError of the families `calibration`, `checkpoint`, `source`, `backend`; AbortError when cancelled.
 */
export async function evaluate(options: EvaluationOptions): Promise<DomainLoss[]> {
  const { checkpoint, backend, control } = options;
  const { config } = checkpoint;
  const longest = checkSequences(checkpoint, options.domains);
  const graphs = new LayerGraphs(backend, checkpoint, longest);
  const sums = options.domains.map((sequences) => new Float64Array(sequences.length));
  try {
    const tokens = options.domains.flat().reduce((sum, ids) => sum + ids.length, 0);
    const { limits } = shareMemory(checkpoint, backend.limits, { tokens, longest, budget: DEFAULT_MEMORY_BUDGET });
    const blocks = cutIntoBlocks(options.domains, limits);
    const hidden = await forwardAll(options, blocks, graphs, limits);
    const graph = await backend.loadGraph(
      'head',
      headGraph({
        hiddenSize: config.hiddenSize,
        vocabularySize: config.vocabularySize,
        norm: graphs.norm,
        bias: weightTable(checkpoint).bias({ part: 'head' }) !== undefined,
        logitsDivisor: config.multipliers.logitsDivisor,
      }),
    );
    const weights = await headWeights(backend, checkpoint, control.signal);
    for (const [index, block] of blocks.entries()) {
      const losses = await blockLosses(options, graph, weights, block, hidden[index] ?? new Float32Array());
      for (const { domain, index: sequence, start, length } of block.sequences) {
        const sum = sums[domain];
        if (sum !== undefined)
          for (const loss of losses.subarray(start, start + length - 1)) sum[sequence] = (sum[sequence] ?? 0) + loss;
      }
    }
    for (const tensor of Object.values(weights)) tensor.dispose();
    await graph.release();
    options.onProgress?.(1);
  } finally {
    await graphs.release();
  }
  return options.domains.map((sequences, domain): DomainLoss => {
    const perSequence = [...(sums[domain] ?? [])];
    const nllSum = perSequence.reduce((sum, loss) => sum + loss, 0);
    const predictedTokens = sequences.reduce((sum, ids) => sum + Math.max(0, ids.length - 1), 0);
    const meanNll = nllSum / predictedTokens;
    return { nllSum, predictedTokens, meanNll, perplexity: Math.exp(meanNll), sequences: perSequence };
  });
}
