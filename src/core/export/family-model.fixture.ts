import type { Architecture } from '../architectures/descriptor.ts';
import { architectureFor } from '../architectures/registry.ts';
import type { ReadonlyJsonObject } from '../base/json.ts';
import { expectedExperts, expectedTensors } from '../checkpoint/expected-tensors.ts';
import { readModelConfig } from '../checkpoint/model-config.ts';
import type { Dtype } from '../safetensors/dtype.ts';
import { layoutTensors } from '../safetensors/writer.ts';
import { FaultFolder } from './fault-folder.fixture.ts';

export interface TensorDeclaration {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

export function declared(dtype: Dtype, name: string, ...shape: readonly number[]): TensorDeclaration {
  return { name, dtype, shape };
}

/** Sizes that the families share in these tests; experts, top-k and width are spelt per family. */
export const COMMON_CONFIG = {
  head_dim: 4,
  hidden_size: 32,
  intermediate_size: 32,
  max_position_embeddings: 64,
  num_attention_heads: 2,
  num_hidden_layers: 2,
  num_key_value_heads: 1,
  rms_norm_eps: 1e-6,
  vocab_size: 16,
};

export interface FamilyModel {
  readonly config: ReadonlyJsonObject;
  /** The registry's row for the config's `model_type` when absent. */
  readonly architecture?: Architecture;
  /** What stands in for a tensor of the forward pass, BF16 by itself; experts that a layer fuses are left out here. */
  readonly store?: (tensor: TensorDeclaration) => readonly TensorDeclaration[];
  readonly extra?: readonly TensorDeclaration[];
}

/**
 * Test fixture: a checkpoint of any family in one file, bytes by a seeded generator. Floats of F32 and BF16 are finite,
 * eight-bit formats take any byte.
 */
export function familyModel({ config: json, architecture, store, extra = [] }: FamilyModel): FaultFolder {
  const row = architecture ?? architectureFor(String(json['model_type']));
  if (row === undefined) throw new Error(`no family ${String(json['model_type'])}`);
  const config = readModelConfig(json, row);
  const plain = [
    ...expectedTensors(row, config),
    ...config.layerPlans.flatMap(({ moe }, layer) => (moe ? [...expectedExperts(row, config, layer)] : [])),
  ].map(({ name, shape }) => declared('BF16', name, ...shape));
  const tensors = [...(store === undefined ? plain : plain.flatMap(store)), ...extra];
  const { header, entries, fileSize } = layoutTensors(tensors, new Map([['format', 'pt']]));
  const file = new Uint8Array(fileSize);
  file.set(header);
  let state = 1;
  for (const { dtype, begin, end } of entries) {
    const size = dtype === 'F32' ? 4 : dtype === 'BF16' ? 2 : 1;
    for (let at = begin; at < end; at++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      const byte = state >>> 16;
      // An exponent below 128 is never that of an infinity.
      file[header.byteLength + at] = size > 1 && (at - begin) % size === size - 1 ? byte & 0xbf : byte;
    }
  }
  const text = new TextEncoder();
  return new FaultFolder(
    new Map([
      ['config.json', text.encode(`${JSON.stringify(json, null, 2)}\n`)],
      ['model.safetensors', file],
    ]),
  );
}
