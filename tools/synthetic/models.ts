import type { Dtype } from '../../src/core/safetensors/dtype.ts';

/** A tensor to be made up. `deviation` of its values; 0 stands for norms, which are about 1. */
export interface SyntheticTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly deviation: number;
}

export interface SyntheticModel {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: readonly SyntheticTensor[];
}

const FP8_BLOCK = 128;

/** MiniMax-M2's shapes as its release has them (FP8 in blocks of 128 × 128), cut to a number of layers. */
export function minimaxM2(layers: number): SyntheticModel {
  const [hidden, inner, experts, vocabulary, heads, keyHeads, head] = [3072, 1536, 256, 200_064, 48, 8, 128];
  const tensors: SyntheticTensor[] = [];
  const add = (name: string, dtype: Dtype, shape: readonly number[], deviation: number): void => {
    tensors.push({ name, dtype, shape, deviation });
  };
  const addFp8 = (name: string, rows: number, columns: number): void => {
    add(`${name}.weight`, 'F8_E4M3', [rows, columns], 0.02);
    add(`${name}.weight_scale_inv`, 'F32', [rows / FP8_BLOCK, columns / FP8_BLOCK], 0);
  };
  add('model.embed_tokens.weight', 'BF16', [vocabulary, hidden], 0.02);
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}`;
    add(`${at}.input_layernorm.weight`, 'BF16', [hidden], 0);
    add(`${at}.post_attention_layernorm.weight`, 'BF16', [hidden], 0);
    add(`${at}.self_attn.q_norm.weight`, 'BF16', [heads * head], 0);
    add(`${at}.self_attn.k_norm.weight`, 'BF16', [keyHeads * head], 0);
    addFp8(`${at}.self_attn.q_proj`, heads * head, hidden);
    addFp8(`${at}.self_attn.k_proj`, keyHeads * head, hidden);
    addFp8(`${at}.self_attn.v_proj`, keyHeads * head, hidden);
    addFp8(`${at}.self_attn.o_proj`, hidden, heads * head);
    add(`${at}.block_sparse_moe.gate.weight`, 'F32', [experts, hidden], 0.02);
    add(`${at}.block_sparse_moe.e_score_correction_bias`, 'F32', [experts], 0.02);
    for (let expert = 0; expert < experts; expert++) {
      const of = `${at}.block_sparse_moe.experts.${expert}`;
      addFp8(`${of}.w1`, inner, hidden);
      addFp8(`${of}.w2`, hidden, inner);
      addFp8(`${of}.w3`, inner, hidden);
    }
  }
  add('model.norm.weight', 'BF16', [hidden], 0);
  add('lm_head.weight', 'BF16', [vocabulary, hidden], 0.02);
  const config = {
    architectures: ['MiniMaxM2ForCausalLM'],
    model_type: 'minimax_m2',
    hidden_size: hidden,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keyHeads,
    head_dim: head,
    rotary_dim: 64,
    rope_theta: 5_000_000,
    max_position_embeddings: 196_608,
    num_local_experts: experts,
    num_experts_per_tok: 8,
    scoring_func: 'sigmoid',
    use_routing_bias: true,
    shared_intermediate_size: 0,
    use_qk_norm: true,
    qk_norm_type: 'per_layer',
    rms_norm_eps: 1e-6,
    hidden_act: 'silu',
    tie_word_embeddings: false,
    vocab_size: vocabulary,
    torch_dtype: 'bfloat16',
    quantization_config: {
      quant_method: 'fp8',
      fmt: 'float8_e4m3fn',
      activation_scheme: 'dynamic',
      weight_block_size: [FP8_BLOCK, FP8_BLOCK],
      modules_to_not_convert: ['gate', 'e_score_correction_bias', 'lm_head'],
    },
  };
  return { config, tensors };
}

/** Layers of Qwen3-30B-A3B's shapes in BF16 (1.2 GB each) with a small vocabulary: size grows with layers alone. */
export function qwen3Moe(layers: number): SyntheticModel {
  const [hidden, inner, experts, vocabulary, heads, keyHeads, head] = [2048, 768, 128, 1024, 32, 4, 128];
  const tensors: SyntheticTensor[] = [];
  const add = (name: string, shape: readonly number[], deviation: number): void => {
    tensors.push({ name, dtype: 'BF16', shape, deviation });
  };
  add('model.embed_tokens.weight', [vocabulary, hidden], 0.02);
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}`;
    add(`${at}.input_layernorm.weight`, [hidden], 0);
    add(`${at}.post_attention_layernorm.weight`, [hidden], 0);
    add(`${at}.self_attn.q_norm.weight`, [head], 0);
    add(`${at}.self_attn.k_norm.weight`, [head], 0);
    add(`${at}.self_attn.q_proj.weight`, [heads * head, hidden], 0.02);
    add(`${at}.self_attn.k_proj.weight`, [keyHeads * head, hidden], 0.02);
    add(`${at}.self_attn.v_proj.weight`, [keyHeads * head, hidden], 0.02);
    add(`${at}.self_attn.o_proj.weight`, [hidden, heads * head], 0.02);
    add(`${at}.mlp.gate.weight`, [experts, hidden], 0.02);
    for (let expert = 0; expert < experts; expert++) {
      add(`${at}.mlp.experts.${expert}.gate_proj.weight`, [inner, hidden], 0.02);
      add(`${at}.mlp.experts.${expert}.up_proj.weight`, [inner, hidden], 0.02);
      add(`${at}.mlp.experts.${expert}.down_proj.weight`, [hidden, inner], 0.02);
    }
  }
  add('model.norm.weight', [hidden], 0);
  add('lm_head.weight', [vocabulary, hidden], 0.02);
  const config = {
    architectures: ['Qwen3MoeForCausalLM'],
    model_type: 'qwen3_moe',
    hidden_size: hidden,
    intermediate_size: 6144,
    moe_intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keyHeads,
    head_dim: head,
    num_experts: experts,
    num_experts_per_tok: 8,
    norm_topk_prob: true,
    decoder_sparse_step: 1,
    mlp_only_layers: [],
    rope_theta: 1_000_000,
    max_position_embeddings: 40_960,
    rms_norm_eps: 1e-6,
    hidden_act: 'silu',
    tie_word_embeddings: false,
    vocab_size: vocabulary,
    torch_dtype: 'bfloat16',
  };
  return { config, tensors };
}
