import { qwen3Moe } from '../core/architectures/qwen3-moe.ts';
import { expectedExperts, expectedTensors } from '../core/checkpoint/expected-tensors.ts';
import { readModelConfig } from '../core/checkpoint/model-config.ts';
import { serialiseShardIndex } from '../core/safetensors/shard-index.ts';
import { layoutTensors } from '../core/safetensors/writer.ts';

const CONFIG = {
  architectures: ['Qwen3MoeForCausalLM'],
  model_type: 'qwen3_moe',
  hidden_size: 64,
  head_dim: 16,
  intermediate_size: 64,
  moe_intermediate_size: 64,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_experts: 8,
  num_experts_per_tok: 2,
  num_hidden_layers: 2,
  norm_topk_prob: true,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-6,
  rope_theta: 10_000,
  vocab_size: 512,
};

/** Bytes of one file that belong to one tensor; `end` is the first byte after it. */
export interface TensorPlace {
  readonly tensor: string;
  readonly file: string;
  readonly first: number;
  readonly end: number;
}

/**
 * Test fixture: a Qwen3-MoE of two layers of eight experts in two shards, 640 kB. Each shard begins with a table of 64 kB,
 * so that what is read beyond a header is no expert.
 */
export function hubModel(): {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly places: readonly TensorPlace[];
} {
  const config = readModelConfig(CONFIG, qwen3Moe);
  const tensors = [
    ...expectedTensors(qwen3Moe, config),
    ...config.layerPlans.flatMap((_, layer) => [...expectedExperts(qwen3Moe, config, layer)]),
  ];
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const files = new Map<string, Uint8Array>([
    ['config.json', text(JSON.stringify(CONFIG))],
    ['tokenizer.json', text('{"version": "1.0"}')],
  ]);
  const places: TensorPlace[] = [];
  const weightMap = new Map<string, string>();
  for (const shard of [1, 2]) {
    const file = `model-0000${shard}-of-00002.safetensors`;
    const held = tensors.filter(
      ({ name }) => (name.startsWith('model.layers.1.') || name === 'lm_head.weight') === (shard === 2),
    );
    const layout = layoutTensors(
      held.map(({ name, shape }) => ({ name, dtype: 'BF16', shape })),
      new Map([['format', 'pt']]),
    );
    const bytes = new Uint8Array(layout.fileSize).map((_, index) => (index * 7 + (index >> 8) + shard) % 251);
    bytes.set(layout.header);
    files.set(file, bytes);
    for (const { name, begin, end } of layout.entries) {
      weightMap.set(name, file);
      const start = layout.header.byteLength;
      places.push({ tensor: name, file, first: start + begin, end: start + end });
    }
  }
  const total = places.reduce((sum, { first, end }) => sum + end - first, 0);
  files.set('model.safetensors.index.json', new Uint8Array(serialiseShardIndex(weightMap, total)));
  return { files, places };
}
