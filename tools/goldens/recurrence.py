"""Makes the fixtures of src/core/recurrence from transformers' own mixers.

    python tools/goldens/recurrence.py --out src/core/recurrence/fixtures

CPU, float32, PyTorch code paths, seeded weights, nothing cached before the sequence. Each file holds, for one mixer
class, cases of: `dims`, `parameters`, and `sequences` with the rows that left the input projections and the rows that
entered the output projection. Arrays are base64 of little-endian float32, row-major.
"""
import argparse, base64, json, pathlib

import numpy as np
import torch
import transformers
from transformers.models.lfm2_moe.modeling_lfm2_moe import Lfm2MoeShortConv
from transformers.models.nemotron_h.modeling_nemotron_h import NemotronHMamba2Mixer
from transformers.models.qwen3_5_moe.modeling_qwen3_5_moe import Qwen3_5MoeGatedDeltaNet
from transformers.models.qwen3_next.modeling_qwen3_next import Qwen3NextGatedDeltaNet

LENGTHS = (1, 5, 70)  # 70 crosses the chunks of 64 of the delta rule
HIDDEN = 8


def packed(tensor):
    array = tensor.detach().to(torch.float32).contiguous().numpy()
    assert np.isfinite(array).all()
    return base64.b64encode(array.astype("<f4").tobytes()).decode()


def seeded(module, seed, decays=(0.05, 0.6)):
    """No parameter keeps its default; rates of decay low enough that the state outlives a chunk."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if name == "A_log":
                low, high = decays
                parameter.copy_(torch.log(low + (high - low) * torch.rand(parameter.shape, generator=generator)))
            elif name == "norm.weight":
                parameter.copy_(1 + 0.3 * noise)
            elif "proj.weight" in name or "in_proj" in name and name.endswith("weight"):
                parameter.copy_(noise * 1.2 / parameter.shape[1] ** 0.5)
            else:
                parameter.copy_(0.5 * noise)
    return module.eval(), generator


def run(module, generator, hidden, lengths, projections):
    """The rows between the projections, of one sequence of each length."""
    seen = {}
    hooks = [
        getattr(module, name).register_forward_hook(lambda _m, _i, out, key=key: seen.__setitem__(key, out))
        for key, name in projections.items()
    ]
    hooks.append(module.out_proj.register_forward_pre_hook(lambda _m, args: seen.__setitem__("output", args[0])))
    sequences = []
    for tokens in lengths:
        with torch.no_grad():
            module(torch.randn((1, tokens, hidden), generator=generator))
        rows = {key: packed(seen[key][0]) for key in projections}
        sequences.append({"tokens": tokens, "rows": rows, "output": packed(seen["output"][0])})
    for hook in hooks:
        hook.remove()
    return sequences


def delta_parameters(module):
    return {
        "convolution": packed(module.conv1d.weight.squeeze(1)),
        "decay": packed(module.A_log),
        "timeBias": packed(module.dt_bias),
        "norm": packed(module.norm.weight),
    }


def delta_net(config_class, module_class, dims, projections, seed, lengths=LENGTHS):
    config = config_class(
        hidden_size=HIDDEN, num_hidden_layers=1, layer_types=["linear_attention"], hidden_act="silu", rms_norm_eps=1e-6,
        linear_num_key_heads=dims["keyHeads"], linear_num_value_heads=dims["valueHeads"],
        linear_key_head_dim=dims["keyDim"], linear_value_head_dim=dims["valueDim"], linear_conv_kernel_dim=4,
    )
    module, generator = seeded(module_class(config, 0), seed)
    sequences = run(module, generator, HIDDEN, lengths, projections)
    return {"dims": {**dims, "epsilon": 1e-6}, "parameters": delta_parameters(module), "sequences": sequences}


def qwen3_next():
    dims = {"keyHeads": 2, "valueHeads": 4, "keyDim": 3, "valueDim": 2}
    projections = {"qkvz": "in_proj_qkvz", "ba": "in_proj_ba"}
    return [delta_net(transformers.Qwen3NextConfig, Qwen3NextGatedDeltaNet, dims, projections, 11)]


def qwen3_5_moe():
    dims = {"keyHeads": 2, "valueHeads": 2, "keyDim": 4, "valueDim": 2}
    projections = {"qkv": "in_proj_qkv", "z": "in_proj_z", "b": "in_proj_b", "a": "in_proj_a"}
    config_class = transformers.models.qwen3_5_moe.configuration_qwen3_5_moe.Qwen3_5MoeTextConfig
    return [delta_net(config_class, Qwen3_5MoeGatedDeltaNet, dims, projections, 12)]


def mamba2(dims, bias, seed, lengths):
    config = transformers.NemotronHConfig(
        hidden_size=HIDDEN, layers_block_type=["mamba"], mamba_num_heads=dims["heads"], mamba_head_dim=dims["headDim"],
        n_groups=dims["groups"], ssm_state_size=dims["state"], conv_kernel=4, use_conv_bias=bias, use_bias=False,
        chunk_size=16, time_step_min=dims["leastStep"], layer_norm_epsilon=1e-5, mamba_hidden_act="silu",
    )
    module, generator = seeded(NemotronHMamba2Mixer(config, 0), seed)
    with torch.no_grad():
        module.dt_bias[0] = -4  # most steps of the first head fall below the least step
    sequences = run(module, generator, HIDDEN, lengths, {"joint": "in_proj"})
    parameters = {
        "convolution": packed(module.conv1d.weight.squeeze(1)),
        "timeBias": packed(module.dt_bias),
        "decay": packed(module.A_log),
        "skip": packed(module.D),
        "norm": packed(module.norm.weight),
    }
    if bias:
        parameters["convolutionBias"] = packed(module.conv1d.bias)
    return {"dims": {**dims, "epsilon": 1e-5}, "parameters": parameters, "sequences": sequences}


def nemotron_h():
    dims = {"heads": 4, "headDim": 2, "groups": 2, "state": 3, "leastStep": 0.05}
    return [mamba2(dims, True, 13, LENGTHS), mamba2({**dims, "groups": 1, "state": 4}, False, 14, (5,))]


def short_convolution(bias, seed, lengths):
    hidden = 4
    config = transformers.Lfm2MoeConfig(
        hidden_size=hidden, num_hidden_layers=1, layer_types=["conv"], conv_L_cache=3, conv_bias=bias
    )
    module, generator = seeded(Lfm2MoeShortConv(config, 0), seed)
    sequences = run(module, generator, hidden, lengths, {"joint": "in_proj"})
    parameters = {"convolution": packed(module.conv.weight.squeeze(1))}
    if bias:
        parameters["convolutionBias"] = packed(module.conv.bias)
    return {"dims": {"hidden": hidden}, "parameters": parameters, "sequences": sequences}


def lfm2_moe():
    return [short_convolution(True, 15, LENGTHS), short_convolution(False, 16, (5,))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    versions = {"transformers": transformers.__version__, "torch": torch.__version__}
    makers = {"qwen3-next": qwen3_next, "qwen3-5-moe": qwen3_5_moe, "nemotron-h": nemotron_h, "lfm2-moe": lfm2_moe}
    for name, make in makers.items():
        (out / f"{name}.json").write_text(json.dumps({"versions": versions, "cases": make()}) + "\n")


if __name__ == "__main__":
    main()
