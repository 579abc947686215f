import type { MixerSpec } from './mixers.ts';
import type { ConfigKey, Flag, LayerRule, NumberSetting } from './settings.ts';
import type { PartName } from './tensor-parts.ts';

/**
 * What the studio must know about a family of Mixture-of-Experts models, as plain data: one family = one file = one row
 * of `registry.ts`, and the same shape read from a JSON file (`descriptor-file.ts`) is a family that nobody has
 * written down yet. Everything below reads the model through its descriptor: no other code names a family.
 */
export interface Architecture {
  /** Equal to the main `model_type`. */
  readonly id: string;
  /** The family's name as people write it. */
  readonly label: string;
  /** `model_type` values of config.json, exactly as written there. */
  readonly modelTypes: readonly string[];
  /** Class of transformers that runs it (`architectures` in config.json). */
  readonly className: string;
  /** Member of config.json that holds the language model's keys, where the family nests them; keys are sought there first. */
  readonly section: string | null;
  readonly config: ConfigKeys;
  /** Norm of the residual stream: RMS, RMS with scale 1 + w, or LayerNorm with bias. */
  readonly norm: 'rms' | 'rms-plus-one' | 'layer';
  readonly tiedEmbeddings: Flag;
  /** Embeddings × embedding, each sub-layer's output × residual, logits ÷ logitsDivisor. */
  readonly multipliers: Multipliers;
  /** The first whose layers match mixes the tokens of a layer; a layer that none matches mixes nothing. */
  readonly mixers: readonly { readonly layers: LayerRule; readonly mixer: MixerSpec }[];
  readonly moeLayers: LayerRule;
  /** Layers with a plain MLP. `null`: all that are not MoE layers. */
  readonly denseLayers: LayerRule | null;
  /**
   * `sequential`: mixer, then experts or MLP. `shortcut` (LongCat): two mixers and two MLPs a layer, the experts read what
   * the first MLP reads and are added at the layer's end.
   */
  readonly layerOrder: 'sequential' | 'shortcut';
  readonly router: RouterSpec;
  readonly experts: ExpertSpec;
  readonly shared: SharedExpertSpec | null;
  /** The dense layers' MLP, without `.weight`. */
  readonly dense: ProjectionNames | null;
  /** Every other tensor of the forward pass. */
  readonly tensors: Readonly<Partial<Record<PartName, string>>>;
  readonly nextTokenLayers: NextTokenSpec | null;
  /** Names with `*` for any run of characters: parts that calibration does not run (vision towers, buffers); copied unread. */
  readonly ignored: readonly string[];
  /** Which oracle this row has been held against, for `inspect` and the docs. */
  readonly heldAgainst: string;
}

/** How config.json spells the numbers that every family has. */
export interface ConfigKeys {
  readonly layers: ConfigKey;
  readonly hiddenSize: ConfigKey;
  readonly vocabularySize: ConfigKey;
  readonly maxPositions: ConfigKey;
  readonly normEpsilon: ConfigKey;
  /** The routed expert count E. Every spelling that is present is rewritten on export, wherever config.json repeats it. */
  readonly experts: ConfigKey;
  /** Experts per token K. */
  readonly topK: ConfigKey;
  /** Inner width I of a routed expert. */
  readonly expertWidth: ConfigKey;
  /** Inner width of the dense layers' MLP, where the family has dense layers. */
  readonly denseWidth: ConfigKey;
}

export interface Multipliers {
  readonly embedding: NumberSetting;
  readonly residual: NumberSetting;
  readonly logitsDivisor: NumberSetting;
}

/** How logits become chosen experts and gates (spec: A.4, D.2). Scores in f32, all experts. */
export interface RouterSpec {
  readonly scoring: 'softmax' | 'sigmoid' | 'sparsemixer';
  /** A bias added to the scores for the choice alone; its tensor is the part `correction-bias`. */
  readonly correctionBias: Flag;
  /** Only the best groups of contiguous experts may be chosen from. */
  readonly groups: {
    readonly count: NumberSetting;
    readonly chosen: NumberSetting;
    readonly score: 'maximum' | 'two-largest';
    /** Groups hold only where config.json says so. */
    readonly when: { readonly key: ConfigKey; readonly equals: string } | null;
  } | null;
  /** Gates of the chosen divided by their sum. */
  readonly renormalise: Flag;
  /** Added to that sum. */
  readonly sumEpsilon: number;
  /** Least value of that sum. */
  readonly sumFloor: NumberSetting;
  /** Every gate times this. */
  readonly scale: NumberSetting;
  /** The gate multiplies the expert's output, or its input. */
  readonly gateOn: 'output' | 'input';
  /** Logits after the experts' own that stand for experts which return their input (LongCat). */
  readonly identityExperts: NumberSetting;
  /** sparsemixer's threshold. */
  readonly jitter: NumberSetting;
}

/** Names of one expert's or MLP's projections: `down(activation(gate x) * up x)`, or without gate `down(activation(up x))`. */
export interface ProjectionNames {
  readonly gate: string | null;
  readonly up: string;
  readonly down: string;
}

/** Experts of a layer as one tensor each [E, …], names without `_bias`, `_blocks`, `_scales`, `.weight`. */
export interface FusedNames {
  /** Gate and up in one tensor, gate first. */
  readonly gateUp: string;
  readonly down: string;
  /** Stored as [E, out, in] or as [E, in, out]; shapes decide where they can, this where both fit. */
  readonly orientation: 'out-in' | 'in-out';
  /** Gate and up take turns (even gate, odd up) instead of lying one after the other. */
  readonly interleaved: boolean;
}

export interface ExpertSpec {
  /** `clamped-swiglu` (gpt-oss): gate ≤ limit, |up| ≤ limit, (up + 1) · gate · σ(1.702 gate). */
  readonly activation: 'silu' | 'clamped-swiglu' | 'relu-squared';
  readonly limit: NumberSetting;
  /** Names with `{expert}`; which of the two layouts a checkpoint has, its tensors say. */
  readonly perExpert: ProjectionNames | null;
  readonly fused: FusedNames | null;
}

/** An expert that every token goes to; never pruned. */
export interface SharedExpertSpec {
  readonly names: ProjectionNames;
  /** Width: a key of its own, or a count of experts of the routed width. */
  readonly width: { readonly key: ConfigKey } | { readonly count: ConfigKey };
  /** A sigmoid of the part `shared-expert-gate` multiplies its output. */
  readonly gated: boolean;
}

/** Layers that predict further tokens (MTP): no part of the forward pass, but they hold experts under the same count. */
export interface NextTokenSpec {
  /** Their count, set to 0 when they are dropped. */
  readonly count: ConfigKey;
  /** `after-last`: layers from num_hidden_layers on, under the model's own names. Else the prefix of their names, e.g. `mtp.`. */
  readonly place: 'after-last' | { readonly prefix: string };
}
