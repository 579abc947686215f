import type { Architecture } from '../architectures/descriptor.ts';
import type { WireError } from '../base/errors.ts';
import type { Proposal } from '../inspector/proposal.ts';
import type { WireResult } from './calibration-protocol.ts';
import type { SourceSpec } from './source-spec.ts';

/** What the inspector makes of a model. */
export interface Inspection {
  /** `model_type` of config.json, '' when it has none. */
  readonly modelType: string;
  /** The source's own descriptor or the registry's row for this type; null when there is neither. */
  readonly known: Architecture | null;
  readonly proposal: Proposal | null;
  /** Why nothing could be proposed; null beside a proposal. */
  readonly refusal: WireError | null;
}

/** Figures of the first layer with experts, computed on random tokens: all of them finite. */
export interface LayerTest {
  /** Tensors of the checkpoint; each has its role. */
  readonly tensors: number;
  /** Those of them that no calibration reads. */
  readonly ignored: number;
  /** The model's own index of the layer. */
  readonly layer: number;
  readonly tokens: number;
  readonly experts: number;
  readonly topK: number;
  /** Experts that at least one token was sent to. */
  readonly expertsUsed: number;
  /** Sum of a token's gates, mean over the tokens. */
  readonly gateSum: number;
  /** Largest magnitude that an expert put out. */
  readonly largestOutput: number;
  /** For a person: what computed it. */
  readonly backend: string;
}

/** What inspect.worker.ts serves. Failures are WireResults. */
export interface InspectApi {
  /** `model_type` of config.json, '' when it has none. */
  modelType(source: SourceSpec): Promise<WireResult<string>>;
  /** Reads config, headers and modelling files; no weights. */
  inspect(source: SourceSpec): Promise<WireResult<Inspection>>;
  /** Opens the source with its descriptor and computes up to its first layer with experts. */
  testLayer(source: SourceSpec): Promise<WireResult<LayerTest>>;
}
