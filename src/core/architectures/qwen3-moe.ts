import type { Architecture } from './descriptor.ts';

/** Qwen3-MoE: per-head query and key norm, softmax router, no shared expert. */
export const qwen3Moe: Architecture = {
  id: 'qwen3_moe',
  label: 'Qwen3-MoE',
  modelTypes: ['qwen3_moe'],
  config: {
    layers: ['num_hidden_layers'],
    hiddenSize: ['hidden_size'],
    vocabularySize: ['vocab_size'],
    maxPositions: ['max_position_embeddings'],
    normEpsilon: ['rms_norm_eps'],
    experts: ['num_experts', 'num_local_experts'],
    topK: ['num_experts_per_tok'],
    expertWidth: ['moe_intermediate_size'],
    denseWidth: ['intermediate_size'],
  },
  router: { kind: 'softmax-top-k', renormalise: { key: ['norm_topk_prob'], fallback: false } },
  attention: {
    kind: 'grouped-query',
    queryKeyNorm: 'per-head',
    heads: ['num_attention_heads'],
    keyValueHeads: ['num_key_value_heads'],
    headDim: ['head_dim'],
    bias: ['attention_bias'],
    slidingWindow: { size: ['sliding_window'], enabled: ['use_sliding_window'] },
    ropeTheta: { key: ['rope_theta'], fallback: 10_000 },
  },
  tensors: {
    embedding: 'model.embed_tokens.weight',
    finalNorm: 'model.norm.weight',
    head: 'lm_head.weight',
    inputNorm: 'model.layers.{layer}.input_layernorm.weight',
    postAttentionNorm: 'model.layers.{layer}.post_attention_layernorm.weight',
    query: 'model.layers.{layer}.self_attn.q_proj',
    key: 'model.layers.{layer}.self_attn.k_proj',
    value: 'model.layers.{layer}.self_attn.v_proj',
    output: 'model.layers.{layer}.self_attn.o_proj',
    queryNorm: 'model.layers.{layer}.self_attn.q_norm.weight',
    keyNorm: 'model.layers.{layer}.self_attn.k_norm.weight',
    router: 'model.layers.{layer}.mlp.gate.weight',
    experts: {
      gate: 'model.layers.{layer}.mlp.experts.{expert}.gate_proj',
      up: 'model.layers.{layer}.mlp.experts.{expert}.up_proj',
      down: 'model.layers.{layer}.mlp.experts.{expert}.down_proj',
    },
    dense: {
      gate: 'model.layers.{layer}.mlp.gate_proj',
      up: 'model.layers.{layer}.mlp.up_proj',
      down: 'model.layers.{layer}.mlp.down_proj',
    },
    ignored: [/\.rotary_emb\.inv_freq$/],
  },
  isMoeLayer(layer, config) {
    const dense = config.mlp_only_layers;
    if (Array.isArray(dense) && dense.includes(layer)) return false;
    const step = typeof config.decoder_sparse_step === 'number' ? config.decoder_sparse_step : 1;
    return (layer + 1) % step === 0;
  },
  heldAgainst: 'transformers 5.17 (float32, bfloat16, sharded)',
};
