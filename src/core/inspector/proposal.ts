import type { Architecture } from '../architectures/descriptor.ts';
import type { ReadonlyJsonObject } from '../base/json.ts';
import type { Dtype } from '../safetensors/dtype.ts';

/** A tensor as a header names it. */
export interface NamedTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** What is known of a model that no row describes: all of it can be read without a single weight. */
export interface InspectorInput {
  readonly configJson: ReadonlyJsonObject;
  readonly tensors: Iterable<NamedTensor>;
  /** Modelling files of the repository by name, as text; read, never executed. */
  readonly modellingSources?: ReadonlyMap<string, string>;
  /** Rows whose likeness is worth telling. */
  readonly knownRows?: readonly Architecture[];
  /** false: without the guesses of `lineages.ts`, as for a model of no known line. */
  readonly lineHabits?: boolean;
}

/**
 * Where a finding comes from: a key of config.json, tensor names and shapes, a line of the modelling source, a habit of
 * the field that nothing in the files confirms (`rule`), or a family that resembles this one (`relative`).
 */
export interface Evidence {
  readonly kind: 'config' | 'tensor' | 'source' | 'rule' | 'relative';
  readonly text: string;
}

/** `certain`: the files say so. `likely`: names say so and nothing speaks against it. `uncertain`: a person must look. */
export type Confidence = 'certain' | 'likely' | 'uncertain';

/** One line of the proposed descriptor. */
export interface Finding {
  /** Path in the descriptor, e.g. `router.scoring` or `mixers.0.mixer.rotary.style`. */
  readonly field: string;
  /** As the descriptor holds it: plain JSON. */
  readonly value: unknown;
  readonly confidence: Confidence;
  readonly evidence: readonly Evidence[];
  /** Other values that the evidence leaves open. */
  readonly alternatives?: readonly unknown[];
}

/** The MoE block in words that a person compares with the modelling source. */
export interface MoeBlock {
  readonly modelType: string;
  readonly className: string;
  /** Name of the block in its layer, e.g. `mlp` or `block_sparse_moe`. */
  readonly block: string;
  /** Names of router and experts within the block. */
  readonly router: string;
  readonly experts: string;
  readonly fused: boolean;
  readonly expertCount: number;
  readonly topK: number | undefined;
  /** The expert's projections as the tensors name them; fused: gate and up share a name. */
  readonly projections: { readonly gate: string | null; readonly up: string; readonly down: string };
  readonly sharedExperts: boolean;
  /** Where a bias for the choice of experts lies, and its name. */
  readonly correctionBias: { readonly on: 'block' | 'router'; readonly name: string } | null;
  /** Classes of the modelling source, where it was given. */
  readonly classes: { readonly block?: string; readonly experts?: string; readonly mlp?: string };
}

/** A descriptor put together from evidence, for a person to check. */
export interface Proposal {
  readonly descriptor: Architecture;
  readonly block: MoeBlock;
  /** A finding for every line of the descriptor, in the descriptor's order. */
  readonly findings: readonly Finding[];
  /** Fields of the uncertain findings. */
  readonly questions: readonly string[];
  /** Tensors (index places as `#`) that no line of the descriptor accounts for. */
  readonly unexplained: readonly string[];
  /** Members of config.json that no line reads and that are not known to be of no account for the forward pass. */
  readonly unreadKeys: readonly string[];
}
