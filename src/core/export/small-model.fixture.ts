import { qwen3Moe } from '../architectures/qwen3-moe.ts';
import { expectedExperts, expectedTensors } from '../checkpoint/expected-tensors.ts';
import { readModelConfig } from '../checkpoint/model-config.ts';
import type { PruningPlan } from '../plan/pruning-plan.ts';
import { serialiseShardIndex } from '../safetensors/shard-index.ts';
import { layoutTensors } from '../safetensors/writer.ts';
import { FaultFolder } from './fault-folder.fixture.ts';

/** `num_experts` is also inside another object, and 1e-06 is a spelling that JSON.stringify would change. */
const CONFIG = `{
  "architectures": ["Qwen3MoeForCausalLM"],
  "head_dim": 4,
  "hidden_size": 8,
  "intermediate_size": 8,
  "max_position_embeddings": 64,
  "model_type": "qwen3_moe",
  "moe_intermediate_size": 4,
  "norm_topk_prob": true,
  "note": {"num_experts": 4, "text": "\\"num_experts\\": 4"},
  "num_attention_heads": 2,
  "num_experts": 4,
  "num_experts_per_tok": 1,
  "num_hidden_layers": 2,
  "num_key_value_heads": 1,
  "num_local_experts": 4,
  "rms_norm_eps": 1e-06,
  "rope_theta": 10000.0,
  "vocab_size": 16
}
`;

const METADATA = new Map([['format', 'pt']]);

/** The second of three shards holds nothing but experts 2 and 3 of layer 1. */
function shardOf(name: string): number {
  if (/layers\.1\.mlp\.experts\.[23]\./.test(name)) return 1;
  return name.startsWith('model.layers.0.') ? 0 : 2;
}

function shardBytes(
  names: readonly { readonly name: string; readonly shape: readonly number[] }[],
  seed: number,
): Uint8Array<ArrayBuffer> {
  const { header, fileSize } = layoutTensors(
    names.map(({ name, shape }) => ({ name, dtype: 'BF16', shape })),
    METADATA,
  );
  const bytes = new Uint8Array(fileSize);
  bytes.set(header);
  let state = seed;
  for (let index = header.byteLength; index < fileSize; index++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[index] = state >>> 16;
  }
  return bytes;
}

/**
 * Test fixture: a Qwen3-MoE checkpoint of two layers of four experts, top-1, BF16, weights by a seeded generator, with two
 * companion files.
 */
export function fixtureModel(options: { readonly sharded: boolean; readonly seed?: number }): FaultFolder {
  const json = JSON.parse(CONFIG);
  const config = readModelConfig(json, qwen3Moe);
  const tensors = [
    ...expectedTensors(qwen3Moe, config),
    ...config.layerPlans.flatMap((_, layer) => [...expectedExperts(qwen3Moe, config, layer)]),
  ];
  const text = new TextEncoder();
  const files = new Map<string, Uint8Array<ArrayBuffer>>([
    ['config.json', text.encode(CONFIG)],
    ['tokenizer.json', text.encode('{"version": "1.0"}')],
    ['README.md', text.encode('A model of no use.\n')],
  ]);
  const seed = options.seed ?? 1;
  if (!options.sharded) {
    files.set('model.safetensors', shardBytes(tensors, seed));
    return new FaultFolder(files);
  }
  const weightMap = new Map<string, string>();
  for (const shard of [0, 1, 2]) {
    const name = `model-0000${shard + 1}-of-00003.safetensors`;
    const held = tensors.filter((tensor) => shardOf(tensor.name) === shard);
    for (const tensor of held) weightMap.set(tensor.name, name);
    files.set(name, shardBytes(held, seed + shard));
  }
  const totalSize = tensors.reduce((sum, { shape }) => sum + 2 * shape.reduce((product, size) => product * size, 1), 0);
  files.set('model.safetensors.index.json', new Uint8Array(serialiseShardIndex(weightMap, totalSize)));
  return new FaultFolder(files);
}

/** A plan for a model of `experts` experts a layer that keeps `keep[i]` in layer `layers[i]`. */
export function fixturePlan(
  model: {
    readonly fingerprint: string;
    readonly architecture?: { readonly id: string };
    readonly moeLayers: readonly number[];
    readonly config: { readonly experts: number };
  },
  keep: readonly (readonly number[])[],
): PruningPlan {
  const { experts } = model.config;
  const all = Array.from({ length: experts }, (_, expert) => expert);
  return {
    model: { architecture: model.architecture?.id ?? 'qwen3_moe', fingerprint: model.fingerprint, source: 'fixture' },
    metric: 'reap',
    policy: 'uniform',
    ratio: 1 - (keep[0]?.length ?? 0) / experts,
    calibration: { domains: [], gate: 'model', statisticsHash: null },
    nextToken: 'prune',
    layers: model.moeLayers.map((layer, row) => {
      const kept = keep[row] ?? [];
      return {
        layer,
        experts,
        keep: kept,
        drop: all.filter((expert) => !kept.includes(expert)),
        scores: [],
        reasons: new Map(),
      };
    }),
  };
}
