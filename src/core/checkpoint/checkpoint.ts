import type { Architecture, ReadonlyJsonObject } from '../architectures/descriptor.ts';
import type { SourceFolder } from '../bytes/byte-source.ts';
import type { Dtype } from '../safetensors/dtype.ts';
import type { SafetensorsHeader } from '../safetensors/header.ts';
import type { ModelConfig } from './model-config.ts';

export type Projection = 'gate' | 'up' | 'down';

/** The ending of a tensor's name after its module: `weight`, `bias`, or what a quantiser adds (`weight_scale_inv`, …). */
export type TensorSuffix = string;

/** What a tensor is for. A router is cut along `expertAxis`; a per-expert tensor goes or stays whole, whatever its suffix. */
export type TensorRole =
  | { readonly kind: 'embedding' | 'final-norm' | 'head' }
  | { readonly kind: 'layer'; readonly layer: number; readonly part: LayerPart; readonly suffix: TensorSuffix }
  | { readonly kind: 'router'; readonly layer: number; readonly expertAxis: 0 }
  | {
      readonly kind: 'expert';
      readonly layer: number;
      readonly expert: number;
      readonly projection: Projection;
      readonly suffix: TensorSuffix;
    }
  | { readonly kind: 'ignored' };

/** The parts of a layer that pruning leaves alone. */
export type LayerPart =
  | 'input-norm'
  | 'post-attention-norm'
  | 'query'
  | 'key'
  | 'value'
  | 'output'
  | 'query-norm'
  | 'key-norm'
  | 'dense-gate'
  | 'dense-up'
  | 'dense-down';

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
