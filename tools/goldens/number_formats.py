"""Fixtures of the number formats of weights, for src/core/quantisation.

    python tools/goldens/number_formats.py

Values of FP8, FP4, E8M0, BF16 and F16 come from torch, MXFP4 from transformers' own conversion. Integers are drawn first,
then packed here as each format's documentation says, one number at a time; what they are worth is
f32(scale * (integer - zero)), computed in f64. Needs torch, transformers (5.x) and numpy.
"""

import base64
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

OUT = Path(__file__).resolve().parents[2] / "src/core/quantisation/fixtures"
RNG = np.random.default_rng(20_26)
DTYPES = {
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
    torch.float8_e8m0fnu: "F8_E8M0",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.float32: "F32",
    torch.int8: "I8",
    torch.int32: "I32",
    torch.int64: "I64",
    torch.uint8: "U8",
}
# AutoAWQ, gemm layout: place i of a word (the lowest four bits first) holds output ORDER[i] of the eight.
AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7]


def base64_of(data):
    return base64.b64encode(data).decode()


def raw(tensor):
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def f32_bytes(values):
    """Little-endian f32, every NaN with the same payload."""
    values = np.array(values, dtype=np.float32).reshape(-1)
    bits = values.view(np.uint32).copy()
    bits[np.isnan(values)] = 0x7FC00000
    return bits.astype("<u4").tobytes()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def tables():
    byte = torch.arange(256, dtype=torch.uint8)
    pairs = torch.arange(65_536, dtype=torch.int32).to(torch.uint16)
    # Sixteen blocks of one pair each: transformers' table, scaled by 2^0.
    blocks = torch.arange(16, dtype=torch.uint8).repeat_interleave(16).reshape(1, 16, 1, 16)
    fp4 = convert_moe_packed_tensors(blocks, torch.full((1, 16, 1), 127, dtype=torch.uint8), dtype=torch.float32)
    return {
        "FP8_E4M3": base64_of(f32_bytes(byte.view(torch.float8_e4m3fn).to(torch.float32).numpy())),
        "FP8_E5M2": base64_of(f32_bytes(byte.view(torch.float8_e5m2).to(torch.float32).numpy())),
        "E8M0": base64_of(f32_bytes(byte.view(torch.float8_e8m0fnu).to(torch.float32).numpy())),
        # [1, 32, 16] after the transposition: number 0 of block n is n.
        "FP4_E2M1": base64_of(f32_bytes(fp4[0, 0, :].numpy())),
        "BF16": sha256(f32_bytes(pairs.view(torch.bfloat16).to(torch.float32).numpy())),
        "F16": sha256(f32_bytes(pairs.view(torch.float16).to(torch.float32).numpy())),
    }


def case(name, config, tensors, values):
    shape = list(values.shape)
    return {
        "name": name,
        "config": config,
        "tensors": {
            ending: {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data": base64_of(raw(tensor))}
            for ending, tensor in tensors.items()
        },
        "shape": shape,
        "values": base64_of(f32_bytes(values)),
    }


def draw_scales(shape, dtype):
    return torch.from_numpy(RNG.uniform(1e-3, 4e-2, shape) * RNG.choice([1, 1, 1, -1], shape)).to(dtype)


def as_f64(tensor):
    return tensor.to(torch.float32).numpy().astype(np.float64)


def expand(scales, shape, block):
    """The scale of each number: blocks at the edges may be partial."""
    rows = np.minimum(np.arange(shape[-2]) // block[0], scales.shape[-2] - 1)
    columns = np.minimum(np.arange(shape[-1]) // block[1], scales.shape[-1] - 1)
    return scales[..., rows, :][..., columns]


def fp8_case(name, shape, block, scale_dtype, config, ending, dtype=torch.float8_e4m3fn, scale_shape=None):
    weight = torch.from_numpy(RNG.normal(0, 60, shape)).to(torch.float32).to(dtype)
    grid = (*shape[:-2], -(-shape[-2] // block[0]), -(-shape[-1] // block[1]))
    if scale_dtype == torch.float8_e8m0fnu:
        scales = torch.from_numpy(RNG.integers(110, 130, grid).astype(np.uint8)).view(scale_dtype)
    else:
        scales = draw_scales(grid, scale_dtype)
    values = (as_f64(weight) * expand(as_f64(scales), shape, block)).astype(np.float32)
    stored = scales if scale_shape is None else scales.reshape(scale_shape)
    return case(name, config, {"weight": weight, ending: stored}, values)


def fp8_cases():
    def block(size):
        return {"quant_method": "fp8", "weight_block_size": list(size)}

    channel = {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float"}}}}
    structure = {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"num_bits": 8, "block_structure": [16, 32]}}}}
    f32, bf16 = torch.float32, torch.bfloat16
    return [
        fp8_case("fp8 blocks, partial at both edges", (20, 40), (16, 16), f32, block((16, 16)), "weight_scale_inv"),
        fp8_case("fp8 blocks of compressed-tensors", (32, 64), (16, 32), bf16, structure, "weight_scale"),
        fp8_case("fp8 blocks with E8M0 scales", (32, 32), (16, 16), torch.float8_e8m0fnu, block((16, 16)), "weight_scale_inv"),
        fp8_case("fp8 with one scale", (8, 24), (8, 24), f32, channel, "weight_scale", scale_shape=()),
        fp8_case("fp8 with one scale of shape [1]", (8, 24), (8, 24), bf16, channel, "weight_scale", scale_shape=(1,)),
        fp8_case("fp8 with a scale a row", (9, 21), (1, 21), bf16, channel, "weight_scale"),
        fp8_case("fp8 with a scale a row, as a vector", (9, 21), (1, 21), f32, channel, "weight_scale", scale_shape=(9,)),
        fp8_case("fp8 E5M2 with one scale", (8, 24), (8, 24), f32, channel, "weight_scale", dtype=torch.float8_e5m2, scale_shape=()),
        fp8_case("fp8 fused experts in blocks", (3, 20, 40), (16, 16), f32, block((16, 16)), "scale_inv"),
        fp8_case("fp8 fused experts with a scale each", (3, 8, 24), (8, 24), bf16, channel, "weight_scale"),
        fp8_case("fp8 fused experts with a scale a row", (3, 8, 24), (1, 24), bf16, channel, "weight_scale"),
    ]


def int8_case(name, shape, block, zeros, scale_shape=None):
    q = RNG.integers(-128, 128, shape)
    grid = (-(-shape[0] // block[0]), -(-shape[1] // block[1]))
    scales = draw_scales(grid, torch.float16)
    z = RNG.integers(-128, 128, grid) if zeros else np.zeros(grid, dtype=np.int64)
    values = ((q - expand(z, shape, block)) * expand(as_f64(scales), shape, block)).astype(np.float32)
    tensors = {"weight": torch.from_numpy(q.astype(np.int8)), "weight_scale": scales if scale_shape is None else scales.reshape(scale_shape)}
    if zeros:
        tensors["weight_zero_point"] = torch.from_numpy(z.astype(np.int8))
    config = {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "int"}}}}
    return case(name, config, tensors, values)


def int8_cases():
    return [
        int8_case("int8 with a scale a row", (9, 21), (1, 21), False),
        int8_case("int8 with one scale", (9, 21), (9, 21), False, (1,)),
        int8_case("int8 with zero points", (9, 21), (1, 21), True),
        int8_case("int8 with a scale a group", (9, 32), (1, 16), False),
    ]


def mxfp4_case(name, shape):
    blocks = torch.from_numpy(RNG.integers(0, 256, (*shape[:-1], shape[-1] // 32, 16)).astype(np.uint8))
    scales = torch.from_numpy(RNG.integers(112, 130, (*shape[:-1], shape[-1] // 32)).astype(np.uint8))
    # transformers gives [experts, in, out]; what is stored is [experts, out, in].
    values = convert_moe_packed_tensors(blocks, scales, dtype=torch.float32).transpose(1, 2).contiguous().numpy()
    return case(name, {"quant_method": "mxfp4"}, {"blocks": blocks, "scales": scales}, values)


def pack(values, bits, order=None):
    """Words [n, m * bits / 32] of unsigned integers [n, m], the first in the lowest bits; the last word may be partial."""
    count, length = values.shape
    per_word = 32 // bits
    order = order or list(range(per_word))
    words = np.zeros((count, -(-length // per_word)), dtype=np.uint32)
    for row in range(count):
        for word in range(words.shape[1]):
            for place in range(per_word):
                at = word * per_word + order[place]
                if at < length:
                    words[row, word] |= np.uint32(int(values[row, at]) << (bits * place))
    return torch.from_numpy(words.view(np.int32))


def groups_of(columns, length, order):
    groups = np.arange(columns) // length
    return RNG.permutation(groups) if order else groups


def affine(q, zeros, scales, groups):
    """q [R, C], zeros and scales [R, G] -> f32 [R, C]."""
    return ((q - zeros[:, groups]) * as_f64(scales)[:, groups]).astype(np.float32)


def gptq_case(name, rows, columns, length, bits, version=1, symmetric=False, g_idx="none", scale_dtype=torch.float16):
    groups = groups_of(columns, length, g_idx == "shuffled")
    count = -(-columns // length)
    q = RNG.integers(0, 2**bits, (rows, columns))
    zeros = np.full((rows, count), 2 ** (bits - 1)) if symmetric else RNG.integers(0, 2**bits, (rows, count))
    if not symmetric:
        zeros[0, 0], zeros[1, 0] = 0, 2**bits - 1
    scales = draw_scales((rows, count), scale_dtype)
    stored = zeros if version == 2 else (zeros - 1) % 2**bits
    tensors = {
        "qweight": pack(q, bits).T.contiguous(),
        "qzeros": pack(stored.T, bits),
        "scales": scales.T.contiguous(),
    }
    if g_idx != "none":
        tensors["g_idx"] = torch.from_numpy(groups.astype(np.int32))
    config = {"quant_method": "gptq", "bits": bits, "group_size": length, "sym": symmetric, "desc_act": g_idx == "shuffled"}
    if version == 2:
        config["checkpoint_format"] = "gptq_v2"
    return case(name, config, tensors, affine(q, zeros, scales, groups))


def gptq_cases():
    return [
        gptq_case("gptq 4 bits, symmetric", 16, 64, 32, 4, symmetric=True, g_idx="plain"),
        gptq_case("gptq 4 bits, zero points that wrap", 16, 64, 32, 4),
        gptq_case("gptq 4 bits, inputs in another order", 16, 64, 16, 4, g_idx="shuffled"),
        gptq_case("gptq 4 bits, the last group short", 8, 40, 16, 4),
        gptq_case("gptq 4 bits, second version", 16, 64, 32, 4, version=2),
        gptq_case("gptq 8 bits, zero points that wrap", 16, 32, 16, 8, scale_dtype=torch.bfloat16),
        gptq_case("gptq 8 bits, second version, one group", 20, 32, 32, 8, version=2, g_idx="plain"),
    ]


def awq_case(name, rows, columns, length):
    groups = groups_of(columns, length, False)
    q = RNG.integers(0, 16, (rows, columns))
    zeros = RNG.integers(0, 16, (rows, columns // length))
    scales = draw_scales(zeros.shape, torch.float16)
    tensors = {
        "qweight": pack(q.T, 4, AWQ_ORDER),
        "qzeros": pack(zeros.T, 4, AWQ_ORDER),
        "scales": scales.T.contiguous(),
    }
    config = {"quant_method": "awq", "bits": 4, "group_size": length, "version": "gemm", "zero_point": True}
    return case(name, config, tensors, affine(q, zeros, scales, groups))


def packed_case(name, shape, length, bits, zero_points="none", g_idx=False, strategy="group", others=()):
    rows, columns = shape[-2:]
    half = 2 ** (bits - 1)
    groups = groups_of(columns, length, g_idx)
    count = -(-columns // length)
    parts = {ending: [] for ending in ("packed", "scale", "zeros", "values")}
    for _ in range(int(np.prod(shape[:-2]))):
        q = RNG.integers(-half, half, (rows, columns))
        zeros = RNG.integers(-half, half, (rows, count)) if zero_points != "none" else np.zeros((rows, count), dtype=np.int64)
        scales = draw_scales((rows, count), torch.bfloat16)
        parts["packed"].append(pack(q + half, bits))
        parts["scale"].append(scales)
        # Zero points are packed along the outputs.
        as_bytes = torch.from_numpy(zeros.astype(np.int8))
        parts["zeros"].append(as_bytes if zero_points == "bytes" else pack((zeros + half).T, bits).T.contiguous())
        parts["values"].append(torch.from_numpy(affine(q, zeros, scales, groups)))

    def stacked(ending):
        whole = torch.stack(parts[ending])
        return whole.reshape(*shape[:-2], *whole.shape[1:])

    tensors = {"weight_packed": stacked("packed"), "weight_scale": stacked("scale"), "weight_shape": torch.tensor(shape)}
    if zero_points != "none":
        tensors["weight_zero_point"] = stacked("zeros")
    if g_idx:
        tensors["weight_g_idx"] = torch.from_numpy(groups.astype(np.int32))
    own = {"num_bits": bits, "type": "int", "strategy": strategy, "group_size": length if strategy == "group" else None}
    config = {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "config_groups": {f"group_{at}": {"targets": ["Linear"], "weights": weights} for at, weights in enumerate([*others, own])},
    }
    return case(name, config, tensors, stacked("values").numpy())


def packed_cases():
    four = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 32}
    return [
        packed_case("packed 4 bits in groups", (12, 64), 32, 4),
        packed_case("packed 4 bits with zero points, rows that fill no word", (20, 64), 32, 4, "words"),
        packed_case("packed 4 bits with zero points in bytes", (12, 64), 32, 4, "bytes"),
        packed_case("packed 4 bits, inputs in another order", (12, 64), 16, 4, "words", g_idx=True),
        packed_case("packed 4 bits, rows that fill no word", (8, 36), 12, 4),
        packed_case("packed 4 bits, a scale a row", (12, 64), 64, 4, strategy="channel"),
        packed_case("packed 8 bits, a scale a row", (12, 32), 32, 8, strategy="channel"),
        packed_case("packed 8 bits with zero points", (10, 32), 16, 8, "words"),
        packed_case("packed 8 bits beside groups of 4", (12, 64), 32, 8, others=[four]),
        packed_case("packed 4 bits, fused experts", (3, 12, 64), 32, 4, "words"),
    ]


def plain_cases():
    dtypes = [torch.float32, torch.float16, torch.bfloat16]
    weights = [torch.from_numpy(RNG.normal(0, 1, (7, 9))).to(dtype) for dtype in dtypes]
    return [case(f"plain {DTYPES[w.dtype]}", {}, {"weight": w}, w.to(torch.float32).numpy()) for w in weights]


def main():
    OUT.mkdir(exist_ok=True)
    made_with = {"torch": torch.__version__, "transformers": transformers.__version__}
    values = {"made_with": made_with, **tables()}
    weights = [
        *plain_cases(),
        *fp8_cases(),
        *int8_cases(),
        mxfp4_case("mxfp4 fused experts", (2, 6, 64)),
        *gptq_cases(),
        awq_case("awq 4 bits", 24, 32, 16),
        awq_case("awq 4 bits, one group", 8, 16, 16),
        *packed_cases(),
    ]
    for name, content in [("number-formats.json", values), ("quantised-weights.json", weights)]:
        (OUT / name).write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
