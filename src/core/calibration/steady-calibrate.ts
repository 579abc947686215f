import { isAbortError } from '../base/abort.ts';
import { isStudioError, StudioError } from '../base/errors.ts';
import type { LayerStatistics } from '../saliency/layer-statistics.ts';
import { type CalibrationOptions, calibrate } from './calibrate.ts';
import type { BackendDescription, BackendLimits, InferenceBackend } from './inference-backend.ts';
import { watchBackend } from './watched-backend.ts';

/** Failures within one layer after which a backend is given up for the safe one, and after which the run is given up. */
const FALL_BACK_AFTER = 2;
const GIVE_UP_AFTER = 3;

export interface SteadyOptions extends Omit<CalibrationOptions, 'backend' | 'limits'> {
  /** Opens a backend anew; `safe` asks for the one that needs no device. */
  readonly openBackend: (which: 'chosen' | 'safe') => Promise<InferenceBackend>;
  /** The run may go on with the safe backend when the chosen one keeps failing. */
  readonly mayFallBack: boolean;
  readonly onBackend?: (about: BackendDescription) => void;
  /** What the run went on from, a sentence each. */
  readonly onNote?: (message: string) => void;
}

/** `limits` with half the tokens and rows at once, `times` times over. */
function halved(limits: BackendLimits, times: number): BackendLimits {
  const part = 2 ** times;
  const cut = (size: number): number => Math.max(1, Math.floor(size / part));
  return {
    ...limits,
    blockTokens: cut(limits.blockTokens),
    attentionTokens: cut(limits.attentionTokens),
    groupRows: cut(limits.groupRows),
    scoreBytes: cut(limits.scoreBytes),
  };
}

function isAllocation(error: unknown): boolean {
  return error instanceof RangeError && /alloc|memory|array (?:buffer )?length/i.test(error.message);
}

/** A failure of where the run computes, not of the model, the text or the disk: it may not come back after a restart. */
function isBackendFailure(error: unknown, backend: InferenceBackend): boolean {
  if (isAbortError(error)) return false;
  if (error instanceof StudioError) return error.family === 'backend';
  // What a lost device makes of calls that expect a living one has no form of its own.
  return isAllocation(error) || backend.about.id === 'webgpu';
}

function sentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.endsWith('.') ? text : `${text}.`;
}

function asStudioError(error: unknown): unknown {
  if (isStudioError(error) || !isAllocation(error)) return error;
  return new StudioError('backend', 'out-of-memory', `There is not enough memory for this run: ${sentence(error)}`, {
    nextStep: 'Close other tabs and programs, or allow the run less memory or fewer tokens; finished layers are kept.',
    details: {},
    cause: error,
  });
}

/** Which backend the run computes with, how often it failed in the present layer, and how small the blocks have become. */
class BackendSeries {
  readonly #options: SteadyOptions;
  #which: 'chosen' | 'safe' = 'chosen';
  #failures = 0;
  #halvings = 0;
  #open: InferenceBackend | undefined;

  constructor(options: SteadyOptions) {
    this.#options = options;
  }

  async open(): Promise<{ readonly backend: InferenceBackend; readonly limits: BackendLimits }> {
    const backend = await this.#options.openBackend(this.#which);
    this.#open = backend;
    this.#options.onBackend?.(backend.about);
    return {
      backend: backend.about.id === 'webgpu' ? watchBackend(backend) : backend,
      limits: halved(backend.limits, this.#halvings),
    };
  }

  async close(): Promise<void> {
    const backend = this.#open;
    this.#open = undefined;
    // A device that is gone may refuse to be closed; what it held is gone as well.
    await backend?.close().catch(() => undefined);
  }

  layerFinished(): void {
    this.#failures = 0;
  }

  /** What comes after a failure, and a note of it; false when there is nothing left to try. */
  goesOnAfter(error: unknown): boolean {
    const backend = this.#open;
    if (backend === undefined || !isBackendFailure(error, backend)) return false;
    this.#failures += 1;
    const note = (next: string): void => this.#options.onNote?.(`${sentence(error)} ${next}`);
    const canFallBack = this.#which === 'chosen' && this.#options.mayFallBack && backend.about.id === 'webgpu';
    if (this.#failures >= (canFallBack ? FALL_BACK_AFTER : GIVE_UP_AFTER)) {
      if (!canFallBack) return false;
      this.#which = 'safe';
      this.#failures = 0;
      note('It had failed twice in one layer: the run went on without it.');
      return true;
    }
    this.#halvings += 1;
    note('The run went on in smaller blocks.');
    return true;
  }
}

/**
 * calibrate, met with failures of the backend: a lost device, too little memory, a graph that fails. The backend is opened
 * anew, blocks are halved, and the run goes on from the last layer that the journal holds (from the first without one);
 * after two failures within one layer the run falls back to the safe backend, where it may; without one, it ends with the
 * third. Each layer is yielded once.
 * @throws What calibrate throws; the backend's own failure when nothing is left to try.
 */
export async function* steadyCalibrate(options: SteadyOptions): AsyncGenerator<LayerStatistics, void, void> {
  const series = new BackendSeries(options);
  const given = new Set<number>();
  let started = false;
  const onStart: NonNullable<CalibrationOptions['onStart']> = (start) => {
    if (!started) options.onStart?.(start);
    started = true;
  };
  for (;;) {
    const opened = await series.open();
    try {
      for await (const statistics of calibrate({ ...options, ...opened, onStart })) {
        if (given.has(statistics.layer)) continue;
        given.add(statistics.layer);
        series.layerFinished();
        yield statistics;
      }
      return;
    } catch (error) {
      if (!series.goesOnAfter(error)) throw asStudioError(error);
    } finally {
      await series.close();
    }
  }
}
