import { randomFillSync } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openNodeFolder } from '../../src/cli/node-folder.ts';
import { qwen3Moe } from '../../src/core/architectures/qwen3-moe.ts';
import { expectedExperts, expectedTensors } from '../../src/core/checkpoint/expected-tensors.ts';
import { readModelConfig } from '../../src/core/checkpoint/model-config.ts';
import { openCheckpoint } from '../../src/core/checkpoint/open-checkpoint.ts';
import { serialisePlan } from '../../src/core/plan/plan-file.ts';
import { serialiseShardIndex } from '../../src/core/safetensors/shard-index.ts';
import { layoutTensors } from '../../src/core/safetensors/writer.ts';

export interface RandomShape {
  readonly layers: number;
  readonly experts: number;
  readonly hidden: number;
  /** Rows of an expert's gate and up projection. */
  readonly inner: number;
}

const BLOCK_BYTES = 16 * 2 ** 20;

function configOf({ layers, experts, hidden, inner }: RandomShape): Record<string, unknown> {
  return {
    architectures: ['Qwen3MoeForCausalLM'],
    model_type: 'qwen3_moe',
    head_dim: 64,
    hidden_size: hidden,
    intermediate_size: inner,
    moe_intermediate_size: inner,
    max_position_embeddings: 4096,
    norm_topk_prob: true,
    num_attention_heads: Math.max(1, hidden / 64),
    num_experts: experts,
    num_experts_per_tok: 2,
    num_hidden_layers: layers,
    num_key_value_heads: 1,
    rms_norm_eps: 1e-6,
    rope_theta: 10000,
    vocab_size: 1024,
  };
}

/** Writes a file of random bytes behind `header`; a new beginning in one random block stands for new random bytes. */
async function writeRandom(path: string, header: Uint8Array, size: number): Promise<void> {
  const block = randomFillSync(new Uint8Array(BLOCK_BYTES));
  const file = await open(path, 'wx');
  try {
    await file.write(header);
    for (let at = header.byteLength; at < size; ) {
      const from = Math.floor(Math.random() * BLOCK_BYTES * 0.5);
      const { bytesWritten } = await file.write(block, from, Math.min(BLOCK_BYTES - from, size - at));
      at += bytesWritten;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a Qwen3-MoE checkpoint of random bytes, one shard a layer, in a new folder. @returns bytes of the shards. */
export async function writeRandomCheckpoint(folder: string, shape: RandomShape): Promise<number> {
  await mkdir(folder);
  const json = configOf(shape);
  const config = readModelConfig(JSON.parse(JSON.stringify(json)), qwen3Moe);
  const tensors = [
    ...expectedTensors(qwen3Moe, config),
    ...config.layerPlans.flatMap((_, layer) => [...expectedExperts(qwen3Moe, config, layer)]),
  ];
  const weightMap = new Map<string, string>();
  let total = 0;
  let bytes = 0;
  for (let layer = 0; layer < shape.layers; layer++) {
    const name = `model-${String(layer + 1).padStart(5, '0')}-of-${String(shape.layers).padStart(5, '0')}.safetensors`;
    const held = tensors.filter((tensor) => {
      const own = /^model\.layers\.(\d+)\./.exec(tensor.name)?.[1];
      return own === undefined ? layer === 0 : Number(own) === layer;
    });
    const { header, entries, fileSize } = layoutTensors(
      held.map((tensor) => ({ name: tensor.name, dtype: 'BF16', shape: tensor.shape })),
      new Map([['format', 'pt']]),
    );
    for (const entry of entries) {
      weightMap.set(entry.name, name);
      total += entry.end - entry.begin;
    }
    await writeRandom(join(folder, name), header, fileSize);
    bytes += fileSize;
  }
  await writeFile(join(folder, 'config.json'), `${JSON.stringify(json, null, 2)}\n`);
  await writeFile(join(folder, 'model.safetensors.index.json'), serialiseShardIndex(weightMap, total));
  await writeFile(join(folder, 'tokenizer.json'), '{"version": "1.0"}\n');
  return bytes;
}

/** Writes the plan that keeps every second expert: the most seeks that half of the experts can cost. */
export async function writeHalvingPlan(folder: string, path: string): Promise<void> {
  const { architecture, fingerprint, config, moeLayers } = await openCheckpoint(await openNodeFolder(folder));
  const experts = Array.from({ length: config.experts }, (_, expert) => expert);
  const plan = serialisePlan({
    model: { architecture: architecture.id, fingerprint, source: 'random' },
    metric: 'reap',
    policy: 'uniform',
    ratio: 0.5,
    calibration: { domains: [], gate: 'model', statisticsHash: null },
    nextToken: 'prune',
    layers: moeLayers.map((layer) => ({
      layer,
      experts: config.experts,
      keep: experts.filter((expert) => expert % 2 === layer % 2),
      drop: experts.filter((expert) => expert % 2 !== layer % 2),
      scores: [],
      reasons: new Map(),
    })),
  });
  await writeFile(path, plan);
}
