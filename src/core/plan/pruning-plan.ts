import type { DomainIdentity, GateMode, ModelIdentity } from '../saliency/statistics-file.ts';

/** Why an expert is kept or dropped other than by its score. */
export type ExpertReason = 'pinned' | 'forced-out' | 'super-expert' | 'tie';

export interface LayerPlan {
  /** The model's own layer index. */
  readonly layer: number;
  readonly experts: number;
  /** Ascending original indices; keep[i] becomes expert i. This alone decides what is exported. */
  readonly keep: readonly number[];
  /** Ascending; the complement of keep. */
  readonly drop: readonly number[];
  /** Scores [E] the choice was made by; empty when the plan was made without statistics. */
  readonly scores: readonly number[];
  /** Expert index → reason, only for experts whose fate has another cause than its score. */
  readonly reasons: ReadonlyMap<number, ExpertReason>;
}

/** What will be removed from which model, and how it was chosen. The content of a `*.plan.json`, parsed. */
export interface PruningPlan {
  readonly model: ModelIdentity;
  readonly metric: string;
  readonly policy: 'uniform';
  readonly ratio: number;
  readonly calibration: {
    readonly domains: readonly DomainIdentity[];
    readonly gate: GateMode;
    /** sha256 of the serialised statistics, or null when there were none. */
    readonly statisticsHash: string | null;
  };
  /**
   * What becomes of layers that predict further tokens, which share the model's expert count: pruned like the last
   * MoE layer, or left out with their count in config.json set to 0.
   */
  readonly nextToken: 'prune' | 'drop';
  /** Ascending by layer; every Mixture-of-Experts layer of the model is listed. */
  readonly layers: readonly LayerPlan[];
}
