import type { WireError } from '../base/errors.ts';
import type { BackendDescription } from '../calibration/inference-backend.ts';
import type { CalibrationProgress } from '../calibration/progress.ts';
import type { CheckpointSummary } from '../checkpoint/summary.ts';
import type { HubQuery, OpenedHub } from '../hub/hub-repo.ts';
import type { LayerStatistics } from '../saliency/layer-statistics.ts';
import type { CalibrationStatistics, DomainIdentity, GateMode } from '../saliency/statistics-file.ts';
import type { DomainSpec, SourceSpec } from './source-spec.ts';

export type { BackendDescription, CalibrationProgress };

export type BackendChoice = 'auto' | 'webgpu' | 'wasm';

export interface CalibrationRequest {
  readonly source: SourceSpec;
  readonly domains: readonly DomainSpec[];
  /** Tokens of one sequence; text is packed to this length. */
  readonly sequenceLength: number;
  /** Upper bound of tokens taken from each domain. */
  readonly maxTokensPerDomain: number;
  readonly gate: GateMode;
  readonly backend: BackendChoice;
  /** Go on from the journal of an earlier, unfinished run of the same model and text when there is one. */
  readonly resume: boolean;
  /** Bytes of memory that the run holds to; 2 GiB where it is left out. */
  readonly memoryBudget?: number;
}

export type CalibrationEvent =
  | { readonly type: 'backend'; readonly backend: BackendDescription }
  | { readonly type: 'corpus'; readonly domains: readonly DomainIdentity[]; readonly resumedLayers: number }
  | { readonly type: 'progress'; readonly progress: CalibrationProgress }
  | { readonly type: 'layer'; readonly statistics: LayerStatistics }
  /** Something that the run went on without, as a sentence. */
  | { readonly type: 'note'; readonly message: string }
  | { readonly type: 'paused' }
  | { readonly type: 'resumed' }
  | { readonly type: 'cancelled' }
  | { readonly type: 'done'; readonly statistics: CalibrationStatistics }
  | { readonly type: 'failed'; readonly error: WireError };

/** What calibration.worker.ts serves. Failures reject with a WireError inside a `failed` event or as WireResult. */
export interface CalibrationApi {
  /** Looks a repository up on its hub, pins its commit and lists its files. Reads no file. */
  resolveHub(query: HubQuery): Promise<WireResult<OpenedHub>>;
  /** Reads config and headers only. */
  openCheckpoint(source: SourceSpec): Promise<WireResult<CheckpointSummary>>;
  /** Resolves when the run has ended in any way; everything else arrives at `events` as CalibrationEvent. */
  calibrate(request: CalibrationRequest, events: MessagePort): Promise<void>;
  pause(): void;
  resume(): void;
  cancel(): void;
}

/** A value or a failure, as data: comlink drops the fields of custom errors. */
export type WireResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: WireError };
