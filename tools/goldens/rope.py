"""Inverse frequencies and attention factors of every rotary scaling, as transformers computes them.

    python tools/goldens/rope.py > src/core/onnx/fixtures/rope.json
"""
import json
import types

import torch
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

CASES = {
    "linear": dict(rope_type="linear", rope_theta=10000.0, factor=4.0),
    "yarn": dict(rope_type="yarn", rope_theta=10000.0, factor=40.0, beta_fast=32, beta_slow=1, mscale=1.0,
                 mscale_all_dim=0.707, original_max_position_embeddings=4096),
    "yarn without truncation": dict(rope_type="yarn", rope_theta=150000.0, factor=32.0, beta_fast=32.0, beta_slow=1.0,
                                    truncate=False, original_max_position_embeddings=4096),
    "llama3": dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                   original_max_position_embeddings=8192),
    "longrope": dict(rope_type="longrope", rope_theta=10000.0, original_max_position_embeddings=64,
                     short_factor=[1 + i / 16 for i in range(16)], long_factor=[1 + i / 2 for i in range(16)], factor=16.0),
}
HEAD = 32
out = []
for name, rope in CASES.items():
    for length in (48, 100) if name == "longrope" else (48,):
        config = types.SimpleNamespace(rope_parameters=dict(rope), head_dim=HEAD, hidden_size=128, num_attention_heads=4,
                                       max_position_embeddings=1024, standardize_rope_params=lambda: None)
        inv, factor = ROPE_INIT_FUNCTIONS[rope["rope_type"]](config, "cpu", seq_len=length)
        out.append(dict(name=name, length=length, rope=rope, head_dim=HEAD, max_positions=1024,
                        inverse_frequencies=[float(x) for x in inv.float()], attention_factor=float(factor)))
print(json.dumps(out, indent=1))
