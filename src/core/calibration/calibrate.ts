import { StudioError } from '../base/errors.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { readEmbeddings } from '../checkpoint/read-tensor.ts';
import type { LayerStatistics } from '../saliency/layer-statistics.ts';
import type { GateMode } from '../saliency/statistics-file.ts';
import { forwardLayer, type LayerContext } from './forward-layer.ts';
import { HiddenKeeper } from './hidden-keeper.ts';
import type { BackendLimits, InferenceBackend } from './inference-backend.ts';
import type { CalibrationJournal, JournalState } from './journal.ts';
import { LayerGraphs } from './layer-graphs.ts';
import { disposeLayerWeights, LayerWeightReader } from './layer-weights.ts';
import { shareMemory } from './memory-budget.ts';
import { DEFAULT_MEMORY_BUDGET } from './memory-default.ts';
import { type CalibrationProgress, ProgressMeter } from './progress.ts';
import type { RunControl } from './run-control.ts';
import { StatisticsCollector } from './statistics-collector.ts';
import { cutIntoBlocks, type TokenBlock } from './token-blocks.ts';

export interface CalibrationOptions {
  readonly checkpoint: Checkpoint;
  readonly backend: InferenceBackend;
  /** Token sequences, an array a domain. */
  readonly domains: readonly (readonly Int32Array[])[];
  readonly gate: GateMode;
  readonly control: RunControl;
  readonly journal?: CalibrationJournal;
  /** Called when hidden states do not fit the budget and there is no `journal`; what it holds is the caller's to remove. */
  readonly scratch?: () => Promise<CalibrationJournal>;
  /** The run goes on without its journal, where it can; without this a journal that fails ends the run. */
  readonly onJournalFailure?: (error: unknown) => void;
  /** Bytes of memory to hold to; an estimate, see memory-budget.ts. */
  readonly memoryBudget?: number;
  /** Closer limits than the backend's own. */
  readonly limits?: BackendLimits;
  /** Called once the journal was read, before the first statistics. */
  readonly onStart?: (start: { readonly resumedLayers: number }) => void;
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

/** What an earlier run saved; where the run may go on without its journal, one that cannot be read counts as none. */
async function loadState({ journal, onJournalFailure }: CalibrationOptions): Promise<JournalState | undefined> {
  try {
    return await journal?.load();
  } catch (error) {
    if (onJournalFailure === undefined) throw error;
    onJournalFailure(error);
    return undefined;
  }
}

/**
 * The layer-streaming engine: hidden states of all tokens wait, weights stream past them once, a layer at a time.
 * Yields the statistics of each layer with experts as it is finished; layers that the journal holds come first, at once.
 *
 * Statistics are of the unpruned model and do not depend on how tokens are cut into blocks and batches, beyond rounding.
 * @throws StudioError of the families `calibration`, `checkpoint`, `source`, `backend`; AbortError when cancelled.
 */
export async function* calibrate(options: CalibrationOptions): AsyncGenerator<LayerStatistics, void, void> {
  const { checkpoint, backend, control } = options;
  const { config } = checkpoint;
  const { signal } = control;
  const positions = checkSequences(checkpoint, options.domains);
  const tokens = options.domains.flat().reduce((sum, ids) => sum + ids.length, 0);
  const { limits, held } = shareMemory(checkpoint, options.limits ?? backend.limits, {
    tokens,
    longest: positions,
    budget: options.memoryBudget ?? DEFAULT_MEMORY_BUDGET,
  });
  const blocks = cutIntoBlocks(options.domains, limits);

  const saved = await loadState(options);
  const lastLayer = options.lastLayer ?? config.layers - 1;
  const firstLayer = saved?.nextLayer ?? 0;
  options.onStart?.({ resumedLayers: firstLayer });
  const statistics: LayerStatistics[] = [...(saved?.statistics ?? [])];
  yield* statistics.filter(({ layer }) => layer <= lastLayer);
  if (firstLayer > lastLayer) return;

  const keeper = new HiddenKeeper({
    blocks,
    width: config.hiddenSize,
    held,
    journal: options.journal ?? (held || firstLayer === lastLayer ? undefined : await options.scratch?.()),
    ...(options.onJournalFailure === undefined ? {} : { onFailure: options.onJournalFailure }),
    first: saved?.hidden ?? ((block) => embedBlock(checkpoint, block, signal)),
  });
  const graphs = new LayerGraphs(backend, checkpoint, positions);
  const reader = new LayerWeightReader(backend, checkpoint, signal);
  const meter = new ProgressMeter({ ...config, layers: lastLayer + 1 }, tokens, firstLayer);
  const afterRun = async (layer: number, phase: 'attention' | 'experts', amount: number): Promise<void> => {
    meter.add(phase, amount);
    options.onProgress?.(meter.report(phase, layer));
    const paused = control.isPaused;
    await control.pass();
    if (paused) meter.restartClock();
  };
  try {
    for (let layer = firstLayer; layer <= lastLayer; layer++) {
      options.onProgress?.(meter.report('loading', layer));
      const isMoe = checkpoint.moeLayers.includes(layer);
      const collector = new StatisticsCollector(layer, config.router, options.domains.length);
      const weights = await reader.take(layer);
      if (layer < lastLayer) reader.prefetch(layer + 1);
      const context: LayerContext = {
        checkpoint,
        backend,
        limits,
        graphs,
        layer,
        weights,
        ...(isMoe ? { statistics: { collector, gate: options.gate } } : {}),
        signal,
        afterRun: (phase, amount) => afterRun(layer, phase, amount),
      };
      // Nothing goes on from the model's last layer: what is kept of a finished run is its statistics.
      await keeper.begin(layer + 1, layer + 1 < config.layers && (options.journal !== undefined || layer < lastLayer));
      try {
        for (const [index, block] of blocks.entries()) {
          await keeper.put(index, await forwardLayer(context, block, await keeper.take(index)));
        }
      } finally {
        disposeLayerWeights(weights);
      }
      meter.finishLayer(layer);
      const finished = isMoe ? collector.finish() : undefined;
      if (finished !== undefined) statistics.push(finished);
      await keeper.save({ statistics, nextLayer: layer + 1 });
      options.onProgress?.(meter.report('experts', layer));
      if (finished !== undefined) yield finished;
    }
  } finally {
    await keeper.abandon();
    await graphs.release();
  }
}
