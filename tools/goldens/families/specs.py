"""Tiny models of the families that the shared goldens lack: sizes small, every trap of the family exercised."""

COMMON = dict(vocab_size=96, hidden_size=32, rms_norm_eps=1e-5, max_position_embeddings=256, bos_token_id=1,
              eos_token_id=2, pad_token_id=0, tie_word_embeddings=False)
LENGTHS = [40, 17, 1, 33]


def v4(config, **changes):
    """The hub's spelling (transformers 4) of a config.json that transformers 5 wrote."""
    c = dict(config)
    rope = dict(c.pop("rope_parameters", None) or {})
    if rope:
        c["rope_theta"] = rope.pop("rope_theta")
        fraction = rope.pop("partial_rotary_factor", None)
        if fraction is not None:
            c["partial_rotary_factor"] = fraction
        kind = rope.pop("rope_type", "default")
        c["rope_scaling"] = None if kind == "default" else {"type": kind, **rope}
    if "dtype" in c:
        c["torch_dtype"] = c.pop("dtype")
    c.pop("layer_types", None)
    c["transformers_version"] = "4.57.1"
    for key, value in changes.items():
        if value is None:
            c.pop(key, None)
        else:
            c[key] = value
    return c


LATENT = dict(q_lora_rank=16, kv_lora_rank=16, qk_nope_head_dim=8, qk_rope_head_dim=8, v_head_dim=12,
              num_attention_heads=4, num_key_value_heads=4)
ROPE = {"rope_type": "default", "rope_theta": 10000.0}

# The same weights under another config. Keys are dotted paths in config.json and in config.v4.json.
GROUPS = dict(name="groups", args=dict(n_group=2), pruned=True, config={"n_group": 2, "topk_group": 1},
              config_v4={"n_group": 2, "topk_group": 1})
WINDOW = dict(name="window", config={"sliding_window": 12}, config_v4={"sliding_window": 12})
LONG = dict(name="long", repaired=True, config={"rope_parameters.original_max_position_embeddings": 24,
                                                "original_max_position_embeddings": 24},
            config_v4={"rope_scaling.original_max_position_embeddings": 24, "original_max_position_embeddings": 24})

SPECS = {
    "glm4_moe_lite": dict(
        cls="Glm4MoeLiteForCausalLM", config="Glm4MoeLiteConfig", scoring="sigmoid",
        args=dict(COMMON, **LATENT, num_hidden_layers=3, intermediate_size=40, moe_intermediate_size=16,
                  n_routed_experts=8, num_experts_per_tok=2, n_shared_experts=1, routed_scaling_factor=1.8,
                  n_group=1, topk_group=1, norm_topk_prob=True, rope_parameters=ROPE, rope_interleave=True),
        v4=lambda c: v4(c, mlp_layer_types=None, first_k_dense_replace=1), count="n_routed_experts", variants=[GROUPS]),
    "dots1": dict(
        cls="Dots1ForCausalLM", config="Dots1Config", scoring="sigmoid",
        args=dict(COMMON, num_hidden_layers=3, intermediate_size=40, moe_intermediate_size=16, n_routed_experts=8,
                  num_experts_per_tok=2, n_shared_experts=2, first_k_dense_replace=1, num_attention_heads=4,
                  num_key_value_heads=2, head_dim=8, n_group=1, topk_group=1, norm_topk_prob=True,
                  routed_scaling_factor=2.5, sliding_window=8, max_window_layers=1, rope_parameters=ROPE),
        v4=lambda c: v4(c, layer_types=c["layer_types"]), count="n_routed_experts", variants=[GROUPS]),
    "granitemoe": dict(
        cls="GraniteMoeForCausalLM", config="GraniteMoeConfig", scoring="logits",
        args=dict(COMMON, num_hidden_layers=2, intermediate_size=16, num_local_experts=8, num_experts_per_tok=2,
                  num_attention_heads=4, num_key_value_heads=2, embedding_multiplier=3.0, logits_scaling=4.0,
                  residual_multiplier=0.5, attention_multiplier=0.25, rope_parameters=ROPE, tie_word_embeddings=True),
        v4=v4, count="num_local_experts"),
    "phimoe": dict(
        cls="PhimoeForCausalLM", config="PhimoeConfig", scoring="sparsemixer",
        args=dict(COMMON, num_hidden_layers=2, intermediate_size=16, num_local_experts=8, num_experts_per_tok=2,
                  num_attention_heads=4, num_key_value_heads=2, attention_bias=True, lm_head_bias=True,
                  router_jitter_noise=0.01, sliding_window=None, rope_parameters={
                      "rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": 64,
                      "short_factor": [1.0, 1.1, 1.3, 1.7], "long_factor": [1.5, 2.0, 3.0, 5.0],
                      "short_mscale": 1.2, "long_mscale": 1.4}),
        v4=lambda c: v4(c, original_max_position_embeddings=64), count="num_local_experts", variants=[LONG, WINDOW]),
    "hunyuan_v1_moe": dict(
        cls="HunYuanMoEV1ForCausalLM", config="HunYuanMoEV1Config", scoring="softmax",
        args=dict(COMMON, num_hidden_layers=2, intermediate_size=16, num_experts=8, moe_topk=2, head_dim=8,
                  num_attention_heads=4, num_key_value_heads=2,
                  rope_parameters={"rope_type": "dynamic", "rope_theta": 10000.0, "alpha": 100.0, "factor": 1.0}),
        v4=lambda c: v4(c, num_experts=[8, 8], moe_topk=[2, 2], num_shared_expert=[1, 1], use_mixed_mlp_moe=True,
                        use_qk_norm=True, moe_intermediate_size=[16, 16]), count="num_experts"),
    "lfm2_moe": dict(
        cls="Lfm2MoeForCausalLM", config="Lfm2MoeConfig", scoring="sigmoid",
        args={**{k: v for k, v in COMMON.items() if k != "rms_norm_eps"}, "norm_eps": 1e-5, "num_hidden_layers": 4,
              "intermediate_size": 40, "moe_intermediate_size": 16, "num_experts": 8, "num_experts_per_tok": 2,
              "num_dense_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2, "conv_L_cache": 3,
              "conv_bias": True, "use_expert_bias": True, "norm_topk_prob": True, "routed_scaling_factor": 1.5,
              "layer_types": ["conv", "full_attention", "conv", "full_attention"], "rope_parameters": ROPE,
              "tie_word_embeddings": True},
        v4=lambda c: v4(c, layer_types=c["layer_types"], tie_embedding=True, tie_word_embeddings=None),
        count="num_experts"),
    "qwen3_next": dict(
        cls="Qwen3NextForCausalLM", config="Qwen3NextConfig", scoring="softmax",
        args=dict(COMMON, num_hidden_layers=4, intermediate_size=40, moe_intermediate_size=16, num_experts=8,
                  num_experts_per_tok=2, shared_expert_intermediate_size=24, num_attention_heads=4,
                  num_key_value_heads=2, head_dim=16, linear_num_key_heads=2, linear_num_value_heads=4,
                  linear_key_head_dim=8, linear_value_head_dim=8, linear_conv_kernel_dim=4, norm_topk_prob=True,
                  rope_parameters={**ROPE, "partial_rotary_factor": 0.25}, mlp_only_layers=[2],
                  layer_types=["linear_attention", "full_attention", "linear_attention", "full_attention"]),
        v4=lambda c: v4(c, full_attention_interval=2), count="num_experts"),
    "qwen3_5_moe": dict(
        cls="Qwen3_5MoeForConditionalGeneration", config="Qwen3_5MoeConfig", scoring="softmax", nested=True, fused=True,
        args=dict(COMMON, num_hidden_layers=3, moe_intermediate_size=16, num_experts=8, num_experts_per_tok=2,
                  shared_expert_intermediate_size=24, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
                  linear_num_key_heads=2, linear_num_value_heads=4, linear_key_head_dim=8, linear_value_head_dim=8,
                  linear_conv_kernel_dim=4,
                  rope_parameters={**ROPE, "partial_rotary_factor": 0.5, "mrope_section": [2, 1, 1],
                                   "mrope_interleaved": True},
                  layer_types=["linear_attention", "full_attention", "linear_attention"]),
        vision=dict(depth=1, hidden_size=16, intermediate_size=16, num_heads=2, out_hidden_size=32, patch_size=4,
                    spatial_merge_size=2, temporal_patch_size=1, num_position_embeddings=16, in_channels=3),
        v4=lambda c: {**c, "torch_dtype": c.get("dtype", "float32"), "transformers_version": "4.57.1"},
        count="num_experts"),
    "nemotron_h": dict(
        cls="NemotronHForCausalLM", config="NemotronHConfig", scoring="sigmoid",
        args={**{k: v for k, v in COMMON.items() if k != "rms_norm_eps"}, "layer_norm_epsilon": 1e-5,
              "layer_types": ["linear_attention", "moe", "full_attention", "mlp", "moe"], "intermediate_size": 40,
              "moe_intermediate_size": 16, "moe_shared_expert_intermediate_size": 24, "n_routed_experts": 8,
              "num_experts_per_tok": 2, "n_shared_experts": 1, "num_attention_heads": 4, "num_key_value_heads": 2,
              "head_dim": 8, "mamba_num_heads": 8, "mamba_head_dim": 4, "n_groups": 2, "ssm_state_size": 8,
              "conv_kernel": 4, "chunk_size": 16, "n_group": 1, "topk_group": 1, "routed_scaling_factor": 2.5,
              "norm_topk_prob": True, "time_step_min": 0.3},
        v4=lambda c: {**v4(c, layers_block_type=None, mtp_layers_block_type=None), "hybrid_override_pattern": "ME*-E",
                      "num_hidden_layers": 5}, count="n_routed_experts", variants=[GROUPS]),
    "longcat_flash": dict(
        cls="LongcatFlashForCausalLM", config="LongcatFlashConfig", scoring="softmax",
        args=dict(COMMON, **LATENT, num_layers=2, ffn_hidden_size=40, expert_ffn_hidden_size=16, n_routed_experts=8,
                  zero_expert_num=4, moe_topk=3, routed_scaling_factor=3.0, head_dim=8, rope_parameters=ROPE),
        v4=lambda c: v4(c, mla_scale_q_lora=True, mla_scale_kv_lora=True, zero_expert_type="identity",
                        head_dim=None, qk_head_dim=None), count="n_routed_experts"),
}
