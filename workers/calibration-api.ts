import { isAbortError } from '../src/core/base/abort.ts';
import { StudioError, toWireError } from '../src/core/base/errors.ts';
import type { SourceFolder } from '../src/core/bytes/byte-source.ts';
import type { InferenceBackend } from '../src/core/calibration/inference-backend.ts';
import { type CalibrationJournal, type JournalStore, StoredJournal } from '../src/core/calibration/journal.ts';
import { RunControl } from '../src/core/calibration/run-control.ts';
import { calibrationRunKey } from '../src/core/calibration/run-key.ts';
import { steadyCalibrate } from '../src/core/calibration/steady-calibrate.ts';
import type { Checkpoint } from '../src/core/checkpoint/checkpoint.ts';
import { summariseCheckpoint } from '../src/core/checkpoint/summarise.ts';
import type { HubQuery } from '../src/core/hub/hub-repo.ts';
import type {
  BackendChoice,
  CalibrationApi,
  CalibrationEvent,
  CalibrationProgress,
  CalibrationRequest,
} from '../src/core/protocol/calibration-protocol.ts';
import type { SourceSpec } from '../src/core/protocol/source-spec.ts';
import type { LayerStatistics } from '../src/core/saliency/layer-statistics.ts';
import type { CalibrationStatistics } from '../src/core/saliency/statistics-file.ts';
import { openModel } from './open-model.ts';
import { readCorpus } from './read-corpus.ts';
import { resolveHubQuery } from './resolve-hub.ts';

/** What calibration needs of the browser. */
export interface CalibrationPlatform {
  openSource(spec: SourceSpec): SourceFolder | Promise<SourceFolder>;
  openBackend(choice: BackendChoice, hiddenSize: number): Promise<InferenceBackend>;
  /** The journal store of a run, or undefined when another tab works on the same run or nothing can be stored here. */
  openStore(runKey: string): Promise<JournalStore | undefined>;
}

type Send = (event: CalibrationEvent) => void;

/** Progress is sent no more often than this, in milliseconds. */
const PROGRESS_INTERVAL = 100;

function withoutJournal(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `Finished layers can no longer be stored in this browser (${reason}): the run goes on, but would start anew after a reload.`;
}

function withTransfer(progress: CalibrationProgress, { transfer }: SourceFolder): CalibrationProgress {
  if (transfer === undefined) return progress;
  return { ...progress, transfer: { bytes: transfer.bytes, bytesPerSecond: transfer.bytesPerSecond() } };
}

/** Calibration as the worker serves it; in Node it runs against a fake platform. */
export class CalibrationService implements CalibrationApi {
  readonly #platform: CalibrationPlatform;
  #control: RunControl | undefined;
  #send: Send | undefined;

  constructor(platform: CalibrationPlatform) {
    this.#platform = platform;
  }

  resolveHub(query: HubQuery): ReturnType<CalibrationApi['resolveHub']> {
    return resolveHubQuery(query);
  }

  async openCheckpoint(source: SourceSpec): ReturnType<CalibrationApi['openCheckpoint']> {
    try {
      return { ok: true, value: summariseCheckpoint(await openModel(this.#platform, source)) };
    } catch (error) {
      return { ok: false, error: toWireError(error) };
    }
  }

  async calibrate(request: CalibrationRequest, events: MessagePort): Promise<void> {
    const send: Send = (event) => events.postMessage(event);
    if (this.#control !== undefined) {
      send({
        type: 'failed',
        error: toWireError(
          new StudioError('calibration', 'already-running', 'A calibration is running already.', {
            nextStep: 'Wait for it or cancel it.',
          }),
        ),
      });
      return;
    }
    this.#control = new RunControl(() => send({ type: 'paused' }));
    this.#send = send;
    try {
      send({ type: 'done', statistics: await this.#run(request, this.#control, send) });
    } catch (error) {
      if (isAbortError(error)) send({ type: 'cancelled' });
      else send({ type: 'failed', error: toWireError(error) });
    } finally {
      this.#control = undefined;
      this.#send = undefined;
      events.close();
    }
  }

  async #run(request: CalibrationRequest, control: RunControl, send: Send): Promise<CalibrationStatistics> {
    const { signal } = control;
    const checkpoint = await openModel(this.#platform, request.source, signal);
    const corpus = await readCorpus(checkpoint, request, signal);
    const domains = corpus.domains.map(({ name, tokens, hash, sequences }) => ({
      name,
      tokens,
      sequences: sequences.length,
      hash,
    }));
    const run = {
      model: {
        architecture: checkpoint.architecture.id,
        fingerprint: checkpoint.fingerprint,
        source: checkpoint.folder.label,
      },
      gate: request.gate,
      domains,
    };
    const journal = await this.#openJournal(checkpoint, request, run, send, signal);
    const layers: LayerStatistics[] = [];
    let lastProgress = Number.NEGATIVE_INFINITY;
    const steps = steadyCalibrate({
      checkpoint,
      openBackend: (which) =>
        this.#platform.openBackend(which === 'safe' ? 'wasm' : request.backend, checkpoint.config.hiddenSize),
      mayFallBack: request.backend === 'auto',
      onBackend: (backend) => send({ type: 'backend', backend }),
      onNote: (message) => send({ type: 'note', message }),
      domains: corpus.domains.map(({ sequences }) => sequences),
      gate: request.gate,
      control,
      ...(journal === undefined ? {} : { journal }),
      ...(request.memoryBudget === undefined ? {} : { memoryBudget: request.memoryBudget }),
      onStart: ({ resumedLayers }) => send({ type: 'corpus', domains, resumedLayers }),
      onJournalFailure: (error) => send({ type: 'note', message: withoutJournal(error) }),
      onProgress: (progress) => {
        const now = performance.now();
        if (now - lastProgress < PROGRESS_INTERVAL && progress.phase !== 'loading') return;
        lastProgress = now;
        send({ type: 'progress', progress: withTransfer(progress, checkpoint.folder) });
      },
    });
    for await (const statistics of steps) {
      layers.push(statistics);
      send({ type: 'layer', statistics });
    }
    return { ...run, layers };
  }

  async #openJournal(
    checkpoint: Checkpoint,
    request: CalibrationRequest,
    run: Omit<CalibrationStatistics, 'layers'>,
    send: Send,
    signal: AbortSignal,
  ): Promise<CalibrationJournal | undefined> {
    const store = await this.#platform.openStore(
      await calibrationRunKey(checkpoint, run.domains, request.gate, signal),
    );
    if (store === undefined) {
      send({
        type: 'note',
        message: 'Finished layers cannot be stored in this browser window: after a reload this run would start anew.',
      });
      return undefined;
    }
    const journal = new StoredJournal(store, run);
    try {
      if (!request.resume) await journal.clear();
      return journal;
    } catch (error) {
      send({ type: 'note', message: withoutJournal(error) });
      return undefined;
    }
  }

  pause(): void {
    if (this.#control === undefined || this.#control.isPaused) return;
    this.#control.pause();
  }

  resume(): void {
    if (this.#control === undefined || !this.#control.isPaused) return;
    this.#control.resume();
    this.#send?.({ type: 'resumed' });
  }

  cancel(): void {
    this.#control?.cancel();
  }
}
