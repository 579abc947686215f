/**
 * What the studio must know about a family of Mixture-of-Experts models, as data. One family = one file = one row of
 * `registry.ts`. Everything below reads the model through its descriptor: no other code names a family.
 */

/** A key of config.json with its accepted spellings, first match wins (transformers 4 and 5 spell some differently). */
export type ConfigKey = readonly [string, ...string[]];

/** How config.json spells the numbers that every family has. */
export interface ConfigKeys {
  readonly layers: ConfigKey;
  readonly hiddenSize: ConfigKey;
  readonly vocabularySize: ConfigKey;
  readonly maxPositions: ConfigKey;
  readonly normEpsilon: ConfigKey;
  /** The routed expert count E. Every spelling that is present is rewritten on export. */
  readonly experts: ConfigKey;
  /** Experts per token K. */
  readonly topK: ConfigKey;
  /** Inner width I of a routed expert. */
  readonly expertWidth: ConfigKey;
  /** Inner width of the dense layers' MLP, where the family has dense layers. */
  readonly denseWidth: ConfigKey;
}

/** Softmax over all experts, the K largest chosen; optionally divided by their sum (spec: D.2 "softmax family"). */
export interface SoftmaxTopKRouter {
  readonly kind: 'softmax-top-k';
  /** Boolean key of config.json that switches the division on, and its value when the key is absent. */
  readonly renormalise: { readonly key: ConfigKey; readonly fallback: boolean };
}

export type RouterSpec = SoftmaxTopKRouter;

/** Grouped-query attention with rotary embedding over whole heads, halves rotated against each other. */
export interface GroupedQueryAttention {
  readonly kind: 'grouped-query';
  /** RMS norm of each query and key head before the rotation. */
  readonly queryKeyNorm: 'per-head' | 'none';
  readonly heads: ConfigKey;
  readonly keyValueHeads: ConfigKey;
  /** Falls back to hiddenSize / heads. */
  readonly headDim: ConfigKey;
  /** Boolean key that adds biases to the four projections; absent means none. */
  readonly bias: ConfigKey;
  /** Window size and the boolean that switches it on. */
  readonly slidingWindow: { readonly size: ConfigKey; readonly enabled: ConfigKey };
  readonly ropeTheta: { readonly key: ConfigKey; readonly fallback: number };
}

export type AttentionSpec = GroupedQueryAttention;

/** Names of one expert's or MLP's projections: `down(silu(gate x) * up x)`, without their `.weight` ending. */
export interface ProjectionNames {
  readonly gate: string;
  readonly up: string;
  readonly down: string;
}

/** Tensor names with `{layer}` and `{expert}` in the place of indices. */
export interface TensorPatterns {
  readonly embedding: string;
  readonly finalNorm: string;
  /** Absent from the file when the embeddings are tied. */
  readonly head: string;
  readonly inputNorm: string;
  readonly postAttentionNorm: string;
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly output: string;
  readonly queryNorm: string;
  readonly keyNorm: string;
  readonly router: string;
  /** Each expert's projections are tensors of their own. */
  readonly experts: ProjectionNames;
  readonly dense: ProjectionNames;
  /** Names that carry no weights of the forward pass (buffers of old savers); they are copied unread. */
  readonly ignored: readonly RegExp[];
}

/** Which layers hold experts, from integer and list keys of config.json. */
export type MoeLayerRule = (layer: number, config: ReadonlyJsonObject) => boolean;

export type Json = null | boolean | number | string | readonly Json[] | ReadonlyJsonObject;
export interface ReadonlyJsonObject {
  readonly [key: string]: Json;
}

export interface Architecture {
  /** Equal to the main `model_type`. */
  readonly id: string;
  /** The family's name as people write it. */
  readonly label: string;
  /** `model_type` values of config.json, exactly as written there. */
  readonly modelTypes: readonly string[];
  readonly config: ConfigKeys;
  readonly router: RouterSpec;
  readonly attention: AttentionSpec;
  readonly tensors: TensorPatterns;
  readonly isMoeLayer: MoeLayerRule;
  /** Which oracle this row has been held against, for `inspect` and the docs. */
  readonly heldAgainst: string;
}
