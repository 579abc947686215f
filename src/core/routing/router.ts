/** Numbers of one model's router, resolved from config.json. */
export interface Router {
  readonly scoring: 'softmax' | 'sigmoid' | 'sparsemixer';
  /** Experts per token K. */
  readonly topK: number;
  /** Routed experts E. */
  readonly experts: number;
  /** Logits after the E experts' own that stand for experts which return their input; chosen like experts, never scored. */
  readonly identityExperts: number;
  /** Only the best `chosen` of `count` contiguous groups may be chosen from; undefined: no groups. */
  readonly groups:
    | { readonly count: number; readonly chosen: number; readonly score: 'maximum' | 'two-largest' }
    | undefined;
  /** The K gates are divided by their sum, to which `sumEpsilon` is added and which is at least `sumFloor`. */
  readonly renormalise: boolean;
  readonly sumEpsilon: number;
  readonly sumFloor: number;
  /** Every gate times this, last. */
  readonly scale: number;
  /** sparsemixer's threshold: experts whose logit lies more than twice this share below the largest take no part. */
  readonly jitter: number;
}

/** What a router that chooses among groups asks of each layer. */
export interface ExpertGroups {
  readonly count: number;
  /** Groups that a token's experts come from. */
  readonly chosen: number;
  /** Least experts of a group that the router can score. */
  readonly least: number;
}

/** The groups of a router, or undefined where it looks at all experts alike. */
export function expertGroupsOf({ groups }: Router): ExpertGroups | undefined {
  if (groups === undefined) return undefined;
  return { count: groups.count, chosen: groups.chosen, least: groups.score === 'two-largest' ? 2 : 1 };
}

/** Which experts each token goes to and with what weight. */
export interface Routing {
  /** [T×K] expert indices, per token by falling score; identity experts are indices from E on. */
  readonly selected: Int32Array;
  /** [T×K] gates, in the order of `selected`. */
  readonly gates: Float32Array;
}

export interface RouteInput {
  /** [T, E + identity experts] row-major, raw router outputs (with the router's own bias). */
  readonly logits: Float32Array;
  readonly tokens: number;
  /** [E + identity experts], added to the scores for the choice alone. */
  readonly correctionBias?: Float32Array;
  /** Experts that are gone, as after an export: a set of indices, or [E] with non-zero = gone. */
  readonly dropped?: ReadonlySet<number> | Uint8Array;
}
