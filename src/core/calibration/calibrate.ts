import { StudioError } from '../base/errors.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { readEmbeddings } from '../checkpoint/read-tensor.ts';
import type { LayerStatistics } from '../saliency/layer-statistics.ts';
import type { GateMode } from '../saliency/statistics-file.ts';
import { forwardLayer } from './forward-layer.ts';
import type { InferenceBackend } from './inference-backend.ts';
import type { CalibrationJournal } from './journal.ts';
import { LayerGraphs } from './layer-graphs.ts';
import { disposeLayerWeights, loadLayerWeights } from './layer-weights.ts';
import { type CalibrationProgress, ProgressMeter } from './progress.ts';
import type { RunControl } from './run-control.ts';
import { StatisticsCollector } from './statistics-collector.ts';
import { batchTokens, cutIntoBlocks, type TokenBlock } from './token-blocks.ts';

export interface CalibrationOptions {
  readonly checkpoint: Checkpoint;
  readonly backend: InferenceBackend;
  /** Token sequences, an array a domain. */
  readonly domains: readonly (readonly Int32Array[])[];
  readonly gate: GateMode;
  readonly control: RunControl;
  readonly journal?: CalibrationJournal;
  readonly onProgress?: (progress: CalibrationProgress) => void;
  /** Compute no layer beyond this one; all by default. */
  readonly lastLayer?: number;
}

/** @throws StudioError family `calibration`: `no-tokens`, `sequence-too-long`, `unsupported-rope`. */
export function checkSequences(checkpoint: Checkpoint, domains: readonly (readonly Int32Array[])[]): number {
  const longest = domains.flat().reduce((most, ids) => Math.max(most, ids.length), 0);
  const { maxPositions, layerPlans } = checkpoint.config;
  for (const { mixer } of layerPlans) {
    const scaling = mixer !== undefined && 'rotary' in mixer ? mixer.rotary?.scaling : undefined;
    if (scaling?.kind !== 'unknown') continue;
    throw new StudioError(
      'calibration',
      'unsupported-rope',
      `The model scales its rotary positions ("${scaling.name}"), which this version cannot compute.`,
      {
        nextStep: 'Inspecting it and exporting it with a plan that fits work; calibrate a model with another scaling.',
        details: { rope: scaling.name },
      },
    );
  }
  const refuse = (code: string, message: string, nextStep: string): StudioError =>
    new StudioError('calibration', code, message, { nextStep, details: { longest, maxPositions } });
  if (longest === 0)
    throw refuse('no-tokens', 'There is no text to calibrate on.', 'Choose a domain or add a text file.');
  if (longest > maxPositions) {
    throw refuse(
      'sequence-too-long',
      `A sequence has ${longest} tokens, but the model takes ${maxPositions} at most.`,
      `Choose a sequence length of ${maxPositions} or less.`,
    );
  }
  return longest;
}

/** Embeddings of a block, [T, H], times the family's multiplier. */
export async function embedBlock(
  checkpoint: Checkpoint,
  block: TokenBlock,
  signal?: AbortSignal,
): Promise<Float32Array<ArrayBuffer>> {
  const rows = await readEmbeddings(checkpoint, block.ids, signal);
  const { embedding } = checkpoint.config.multipliers;
  return embedding === 1 ? rows : rows.map((value) => value * embedding);
}

/** Cuts a run's hidden states, [T, H] in one array, into those of its blocks. */
function splitHidden(
  hidden: Float32Array<ArrayBuffer>,
  blocks: readonly TokenBlock[],
  width: number,
): Float32Array<ArrayBuffer>[] {
  let row = 0;
  return blocks.map(({ tokens }) => {
    row += tokens;
    return hidden.slice((row - tokens) * width, row * width);
  });
}

function joinHidden(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/**
 * The layer-streaming engine: hidden states of all tokens wait, weights stream past them once, a layer at a time.
 * Yields the statistics of each layer with experts as it is finished; layers that the journal holds come first, at once.
 *
 * Statistics are of the unpruned model and do not depend on how tokens are cut into blocks and batches, beyond rounding.
 * @throws StudioError of the families `calibration`, `checkpoint`, `source`, `backend`; AbortError when cancelled.
 */
export async function* calibrate(options: CalibrationOptions): AsyncGenerator<LayerStatistics, void, void> {
  const { checkpoint, backend, control, journal } = options;
  const { config } = checkpoint;
  const { signal } = control;
  const positions = checkSequences(checkpoint, options.domains);
  const blocks = cutIntoBlocks(options.domains, {
    blockTokens: backend.limits.blockTokens,
    attentionTokens: batchTokens(config, backend.limits.attentionTokens),
  });
  const tokens = blocks.reduce((sum, block) => sum + block.tokens, 0);

  const saved = await journal?.load();
  const lastLayer = options.lastLayer ?? config.layers - 1;
  const statistics: LayerStatistics[] = [...(saved?.statistics ?? [])];
  yield* statistics.filter(({ layer }) => layer <= lastLayer);
  const firstLayer = saved?.nextLayer ?? 0;
  const hidden = saved === undefined ? [] : splitHidden(saved.hidden, blocks, config.hiddenSize);
  if (saved === undefined) for (const block of blocks) hidden.push(await embedBlock(checkpoint, block, signal));

  const graphs = new LayerGraphs(backend, checkpoint, positions);
  const meter = new ProgressMeter({ ...config, layers: lastLayer + 1 }, tokens, firstLayer);
  try {
    for (let layer = firstLayer; layer <= lastLayer; layer++) {
      options.onProgress?.(meter.report('loading', layer));
      const isMoe = checkpoint.moeLayers.includes(layer);
      const collector = new StatisticsCollector(layer, config.router, options.domains.length);
      const weights = await loadLayerWeights(backend, checkpoint, layer, signal);
      for (const [index, block] of blocks.entries()) {
        const context = {
          checkpoint,
          backend,
          graphs,
          layer,
          weights,
          ...(isMoe ? { statistics: { collector, gate: options.gate } } : {}),
          signal,
          afterRun: async (phase: 'attention' | 'experts', amount: number): Promise<void> => {
            meter.add(phase, amount);
            options.onProgress?.(meter.report(phase, layer));
            if (control.isPaused) {
              await control.pass();
              meter.restartClock();
            } else {
              await control.pass();
            }
          },
        };
        hidden[index] = await forwardLayer(context, block, hidden[index] ?? new Float32Array());
      }
      disposeLayerWeights(weights);
      meter.finishLayer(layer);
      const finished = isMoe ? collector.finish() : undefined;
      if (finished !== undefined) statistics.push(finished);
      // Nothing goes on from the last layer: what is kept of a finished run is its statistics.
      const next = layer + 1 < config.layers ? joinHidden(hidden) : new Float32Array();
      await journal?.save({ statistics, nextLayer: layer + 1, hidden: next });
      options.onProgress?.(meter.report('experts', layer));
      if (finished !== undefined) yield finished;
    }
  } finally {
    await graphs.release();
  }
}
