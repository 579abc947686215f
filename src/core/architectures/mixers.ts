import type { ConfigKey, Flag, LayerRule, NumberSetting } from './settings.ts';

/** How the tokens of a sequence see each other in a layer. */
export type MixerSpec = GroupedQueryAttention | LatentAttention | GatedDeltaNet | ShortConvolution | SelectiveScan;

/** Rotary position embedding; its scaling (YaRN, Llama-3, long) is read from `rope_parameters` or `rope_scaling`. */
export interface RotarySpec {
  readonly theta: NumberSetting;
  /** Part of each head that turns, from its front: a fraction, or the number of dimensions. */
  readonly part: { readonly fraction: NumberSetting; readonly dimensions: ConfigKey | null };
  /** Component i turns against i + half, or against its neighbour. */
  readonly style: 'halves' | 'interleaved';
  /** Layers without it: where the list config.json holds under `key` is 0, or every `interval`-th. */
  readonly without: { readonly key: ConfigKey; readonly interval: NumberSetting } | null;
}

/** softmax(q·kᵀ · scale + mask)·v with query heads that share key heads. */
export interface GroupedQueryAttention {
  readonly kind: 'grouped-query';
  readonly heads: ConfigKey;
  readonly keyValueHeads: ConfigKey;
  /** Falls back to hiddenSize / heads. */
  readonly headDim: ConfigKey;
  readonly queryKeyValueBias: Flag;
  readonly outputBias: Flag;
  /** Norm of queries and keys: of each head, or of the whole projection; `unit` has no weight. */
  readonly queryKeyNorm: {
    readonly over: 'head' | 'projection';
    readonly place: 'before-rotation' | 'after-rotation';
    readonly unit: boolean;
    readonly enabled: Flag;
    /** A unit norm that only layers with rotation have (Llama-4). */
    readonly rotatedLayersOnly: boolean;
  } | null;
  readonly rotary: RotarySpec | null;
  /** 1/√headDim when absent. */
  readonly scale: ConfigKey | null;
  /** Queries, keys and values are cut to ± this. */
  readonly clip: ConfigKey | null;
  /** Positions back that a token sees, itself included, in the layers of the rule. */
  readonly window: { readonly size: ConfigKey; readonly enabled: Flag; readonly layers: LayerRule } | null;
  /** Size of the blocks of positions that see only themselves, in layers with rotation. */
  readonly chunk: ConfigKey | null;
  /** A learned logit per head that takes part in the softmax and is dropped (part `sinks`). */
  readonly sinks: boolean;
  /** The query projection is twice as wide, per head [query, gate]; σ(gate) multiplies the heads' output. */
  readonly outputGate: boolean;
  /** Llama-4's temperature on layers without rotation: query × (1 + scale·log1p(floor((position + 1) / floor))). */
  readonly temperature: { readonly enabled: Flag; readonly scale: NumberSetting; readonly floor: NumberSetting } | null;
}

/** Multi-head latent attention (DeepSeek): queries and keys-and-values through low-rank projections. */
export interface LatentAttention {
  readonly kind: 'latent';
  readonly heads: ConfigKey;
  /** null or absent in config.json: one query projection. */
  readonly queryRank: ConfigKey;
  readonly keyValueRank: ConfigKey;
  readonly nopeDim: ConfigKey;
  readonly ropeDim: ConfigKey;
  readonly valueDim: ConfigKey;
  readonly bias: Flag;
  /** Epsilon of the norms of the latents, which the family's code fixes whatever config.json says of the others. */
  readonly normEpsilon: number;
  readonly rotary: RotarySpec;
  /** Boolean key that chooses interleaved rotation over halves; null: as `rotary.style`. */
  readonly interleave: Flag | null;
  /** LongCat: queries × √(hidden / queryRank), latent keys × √(hidden / keyValueRank). */
  readonly rankScale: { readonly query: Flag; readonly keyValue: Flag } | null;
}

/** Linear attention with a gated delta rule (Qwen3-Next). */
export interface GatedDeltaNet {
  readonly kind: 'gated-delta-net';
  readonly keyHeads: ConfigKey;
  readonly valueHeads: ConfigKey;
  readonly keyDim: ConfigKey;
  readonly valueDim: ConfigKey;
  readonly kernel: ConfigKey;
  /** Projections in one interleaved tensor and one for β and a, or in four. */
  readonly projections: 'joint' | 'separate';
}

/** Gated short convolution (LFM2): C ⊙ conv(B ⊙ x). */
export interface ShortConvolution {
  readonly kind: 'short-convolution';
  readonly kernel: ConfigKey;
  readonly bias: Flag;
}

/** Mamba-2 (Nemotron-H). */
export interface SelectiveScan {
  readonly kind: 'selective-scan';
  readonly heads: ConfigKey;
  readonly headDim: ConfigKey;
  readonly groups: ConfigKey;
  readonly state: ConfigKey;
  readonly kernel: ConfigKey;
  readonly convolutionBias: Flag;
  readonly projectionBias: Flag;
  /** Least time step after softplus. */
  readonly leastStep: NumberSetting;
}
