import { MemoryFolder } from '../bytes/memory-folder.ts';
import { layoutTensors } from '../safetensors/writer.ts';

/** Sizes of the fixture below; small enough for a test, odd enough to catch swapped dimensions. */
export interface TinyShape {
  readonly layers: number;
  readonly experts: number;
  readonly topK: number;
  readonly hiddenSize: number;
  readonly expertWidth: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  readonly vocabularySize: number;
  /** Layers without experts. */
  readonly denseLayers: readonly number[];
}

export const TINY_SHAPE: TinyShape = {
  layers: 3,
  experts: 6,
  topK: 2,
  hiddenSize: 48,
  expertWidth: 20,
  heads: 4,
  keyValueHeads: 2,
  headDim: 16,
  vocabularySize: 97,
  denseLayers: [1],
};

/** Numbers in [−0.5, 0.5), the same on every machine. */
function noise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

function tensorShapes(shape: TinyShape): (readonly [string, readonly number[]])[] {
  const { hiddenSize: hidden, expertWidth: inner, headDim } = shape;
  const list: (readonly [string, readonly number[]])[] = [
    ['model.embed_tokens.weight', [shape.vocabularySize, hidden]],
    ['model.norm.weight', [hidden]],
    ['lm_head.weight', [shape.vocabularySize, hidden]],
  ];
  for (let layer = 0; layer < shape.layers; layer++) {
    const at = `model.layers.${layer}`;
    list.push(
      [`${at}.input_layernorm.weight`, [hidden]],
      [`${at}.post_attention_layernorm.weight`, [hidden]],
      [`${at}.self_attn.q_proj.weight`, [shape.heads * headDim, hidden]],
      [`${at}.self_attn.k_proj.weight`, [shape.keyValueHeads * headDim, hidden]],
      [`${at}.self_attn.v_proj.weight`, [shape.keyValueHeads * headDim, hidden]],
      [`${at}.self_attn.o_proj.weight`, [hidden, shape.heads * headDim]],
      [`${at}.self_attn.q_norm.weight`, [headDim]],
      [`${at}.self_attn.k_norm.weight`, [headDim]],
    );
    const dense = shape.denseLayers.includes(layer);
    if (!dense) list.push([`${at}.mlp.gate.weight`, [shape.experts, hidden]]);
    for (let expert = 0; expert < (dense ? 1 : shape.experts); expert++) {
      const mlp = dense ? `${at}.mlp` : `${at}.mlp.experts.${expert}`;
      list.push(
        [`${mlp}.gate_proj.weight`, [inner, hidden]],
        [`${mlp}.up_proj.weight`, [inner, hidden]],
        [`${mlp}.down_proj.weight`, [hidden, inner]],
      );
    }
  }
  return list;
}

function tinyConfig(shape: TinyShape): string {
  const config = {
    architectures: ['Qwen3MoeForCausalLM'],
    decoder_sparse_step: 1,
    head_dim: shape.headDim,
    hidden_act: 'silu',
    hidden_size: shape.hiddenSize,
    intermediate_size: shape.expertWidth,
    max_position_embeddings: 128,
    mlp_only_layers: shape.denseLayers,
    model_type: 'qwen3_moe',
    moe_intermediate_size: shape.expertWidth,
    norm_topk_prob: true,
    num_attention_heads: shape.heads,
    num_experts: shape.experts,
    num_experts_per_tok: shape.topK,
    num_hidden_layers: shape.layers,
    num_key_value_heads: shape.keyValueHeads,
    rms_norm_eps: 1e-6,
    rope_theta: 10000.0,
    tie_word_embeddings: false,
    torch_dtype: 'float32',
    vocab_size: shape.vocabularySize,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/**
 * A test fixture: a Qwen3-MoE checkpoint in one F32 file with seeded random weights, in memory. Norms lie around 1, so
 * that outputs keep a sane scale.
 */
export function tinyCheckpointFiles(shape: TinyShape = TINY_SHAPE, seed = 1): Map<string, Uint8Array<ArrayBuffer>> {
  const next = noise(seed);
  const shapes = tensorShapes(shape);
  const layout = layoutTensors(
    shapes.map(([name, dims]) => ({ name, dtype: 'F32' as const, shape: dims })),
    new Map([['format', 'pt']]),
  );
  const file = new Uint8Array(layout.fileSize);
  file.set(layout.header);
  for (const entry of layout.entries) {
    const isNorm = entry.shape.length === 1;
    const values = Float32Array.from({ length: (entry.end - entry.begin) / 4 }, () =>
      isNorm ? 1 + next() / 2 : next() / 2,
    );
    file.set(new Uint8Array(values.buffer), layout.header.byteLength + entry.begin);
  }
  return new Map([
    ['config.json', new TextEncoder().encode(tinyConfig(shape))],
    ['model.safetensors', file],
  ]);
}

/** The fixture as a folder. */
export function tinyCheckpoint(shape: TinyShape = TINY_SHAPE, seed = 1): MemoryFolder {
  return new MemoryFolder('tiny', tinyCheckpointFiles(shape, seed));
}
