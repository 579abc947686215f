import type { ExpertGroups } from '../routing/router.ts';

/** Facts about a checkpoint that the page and the plan need, plain data that crosses a worker boundary. */

export interface MoeLayerSummary {
  /** The model's own layer index. */
  readonly layer: number;
  readonly experts: number;
  readonly topK: number;
  /** Parameters and bytes on disk of ONE expert, all its tensors (weights, scales). Every expert of a layer has the same. */
  readonly expertParameters: number;
  readonly expertBytes: number;
  /** Parameters and bytes that leave the router (rows, biases) with one expert. */
  readonly routerParametersPerExpert: number;
  readonly routerBytesPerExpert: number;
  /** Contiguous groups that the router chooses from: each must keep as many experts. Absent without groups. */
  readonly groups?: ExpertGroups;
}

/** Layers that predict further tokens, of which the checkpoint holds tensors: no part of the forward pass. */
export interface NextTokenSummary {
  readonly layers: number;
  readonly parameters: number;
  readonly bytes: number;
  /** Of ONE expert with its share of the router, over all these layers: what goes with each that is dropped. */
  readonly expertParameters: number;
  readonly expertBytes: number;
}

export interface CheckpointSummary {
  /** What was opened, for people. */
  readonly label: string;
  readonly architecture: string;
  readonly architectureLabel: string;
  /** sha256 hex: see fingerprint.ts. */
  readonly fingerprint: string;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  readonly maxPositions: number;
  /** E and K of the config. */
  readonly experts: number;
  readonly topK: number;
  readonly expertWidth: number;
  readonly totalParameters: number;
  /** Sum of tensor bytes over all shards. */
  readonly totalBytes: number;
  readonly tensors: number;
  readonly shards: number;
  /** dtype → bytes, largest first. */
  readonly bytesByDtype: readonly (readonly [dtype: string, bytes: number])[];
  readonly moeLayers: readonly MoeLayerSummary[];
  readonly hasTokenizer: boolean;
  /** Absent in most models. */
  readonly nextToken?: NextTokenSummary;
  /** Which oracle the family's row was held against. */
  readonly heldAgainst?: string;
}
