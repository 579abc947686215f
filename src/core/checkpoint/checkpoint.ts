import type { Architecture } from '../architectures/descriptor.ts';
import type { PartName } from '../architectures/tensor-parts.ts';
import type { ReadonlyJsonObject } from '../base/json.ts';
import type { SourceFolder } from '../bytes/byte-source.ts';
import type { QuantisationConfig } from '../quantisation/quantisation-config.ts';
import type { Dtype } from '../safetensors/dtype.ts';
import type { SafetensorsHeader } from '../safetensors/header.ts';
import type { ModelConfig } from './model-config.ts';

export type Projection = 'gate' | 'up' | 'down';

/** The ending of a tensor's name after its module: `weight`, `bias`, '' for a bare parameter, or what a quantiser adds. */
export type TensorSuffix = string;

/** Which MLP of a layer: the routed experts', the shared expert's or the dense layer's. */
export type MlpKind = 'shared' | 'dense';

/**
 * What a tensor is for. Pruning leaves `part`, `mlp` and `ignored` alone, cuts `router` and `fused-experts` along
 * `expertAxis`, and drops or renumbers `expert`. `nextToken` marks layers that predict further tokens: they are no
 * part of the forward pass, and their experts follow the last MoE layer's.
 */
export type TensorRole =
  | {
      readonly kind: 'part';
      readonly part: PartName;
      /** undefined: not of a layer. */
      readonly layer: number | undefined;
      readonly step: number;
      readonly suffix: TensorSuffix;
      readonly nextToken: boolean;
    }
  | {
      readonly kind: 'mlp';
      readonly mlp: MlpKind;
      readonly projection: Projection;
      readonly layer: number;
      readonly step: number;
      readonly suffix: TensorSuffix;
      readonly nextToken: boolean;
    }
  | {
      /** Router weight and bias, and the correction bias: one row or entry an expert, identity experts after them. */
      readonly kind: 'router';
      readonly part: 'router' | 'correction-bias';
      readonly layer: number;
      readonly suffix: TensorSuffix;
      readonly expertAxis: number;
      readonly nextToken: boolean;
    }
  | {
      readonly kind: 'expert';
      readonly layer: number;
      readonly expert: number;
      readonly projection: Projection;
      readonly suffix: TensorSuffix;
      /** Where the expert's index stands in the tensor's name: [start, end). */
      readonly expertSpan: readonly [number, number];
      readonly nextToken: boolean;
    }
  | {
      readonly kind: 'fused-experts';
      readonly layer: number;
      readonly projection: 'gate-up' | 'down';
      readonly suffix: TensorSuffix;
      readonly expertAxis: 0;
      readonly nextToken: boolean;
    }
  /** `nextToken`: a part of a further-token layer that has no counterpart in the model. */
  | { readonly kind: 'ignored'; readonly nextToken: boolean };

export interface CheckpointTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Shard file that holds it. */
  readonly file: string;
  /** Absolute byte offset in that file, and length in bytes. */
  readonly offset: number;
  readonly byteLength: number;
  readonly role: TensorRole;
}

export interface Shard {
  readonly file: string;
  readonly size: number;
  readonly header: SafetensorsHeader;
}

/** A checkpoint whose config and headers were read and in which every tensor has its role. No weights are held. */
export interface Checkpoint {
  readonly folder: SourceFolder;
  readonly architecture: Architecture;
  readonly config: ModelConfig;
  /** config.json as parsed, for the export's edits. */
  readonly configJson: ReadonlyJsonObject;
  readonly quantisation: QuantisationConfig | undefined;
  /** In the order of the index, or the one file. */
  readonly shards: readonly Shard[];
  /** Name of the index file, or undefined for a single `model.safetensors`. */
  readonly indexFile: string | undefined;
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  /** Ascending by layer: the layers that hold routed experts. */
  readonly moeLayers: readonly number[];
  /** Files beside config, index and shards (tokenizer, licence, code), copied byte for byte on export. */
  readonly companionFiles: readonly string[];
  /** sha256 hex: see fingerprint.ts. */
  readonly fingerprint: string;
}
