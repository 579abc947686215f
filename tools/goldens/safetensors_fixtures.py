"""Makes src/core/safetensors/fixtures with the safetensors library: files that it wrote, and its verdict on crafted ones.

Run from the repository's root, with torch and safetensors installed:  python tools/goldens/safetensors_fixtures.py
"""

import base64
import hashlib
import json
import struct
from pathlib import Path

import safetensors
import torch
from safetensors.torch import save

FOLDER = Path(__file__).resolve().parents[2] / "src/core/safetensors/fixtures"

# torch dtype -> the format's name. F6_E2M3 and F6_E3M2 have no torch dtype.
DTYPES = {
    torch.bool: "BOOL",
    torch.float4_e2m1fn_x2: "F4",
    torch.uint8: "U8",
    torch.int8: "I8",
    torch.float8_e5m2: "F8_E5M2",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e8m0fnu: "F8_E8M0",
    torch.float8_e4m3fnuz: "F8_E4M3FNUZ",
    torch.float8_e5m2fnuz: "F8_E5M2FNUZ",
    torch.int16: "I16",
    torch.uint16: "U16",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int32: "I32",
    torch.uint32: "U32",
    torch.float32: "F32",
    torch.complex64: "C64",
    torch.float64: "F64",
    torch.int64: "I64",
    torch.uint64: "U64",
}


def tensor(dtype, shape, seed):
    """A tensor of the storage shape with pseudo-random bytes."""
    size = torch.empty(0, dtype=dtype).element_size()
    count = 1
    for dimension in shape:
        count *= dimension
    generator = torch.Generator().manual_seed(seed)
    high = 2 if dtype == torch.bool else 256
    raw = torch.randint(0, high, (count * size,), dtype=torch.uint8, generator=generator)
    return raw.view(dtype).reshape(shape)


def written_files():
    every = {}
    for index, dtype in enumerate(DTYPES):
        every[f"b.{DTYPES[dtype]}"] = tensor(dtype, (2, 3), index)
        every[f"a.{DTYPES[dtype]}"] = tensor(dtype, (1,), 100 + index)
    odd = [
        "",
        "plain",
        'quote " and \\ backslash / slash',
        "control \x00\x01\x1f\b\f\n\r\t\x7f",
        "separators \u2028\u2029",
        "é",
        "\uffee above the surrogates",
        "\U0001f600 astral",
        "__proto__",
        "constructor",
        "Z",
        "a",
    ]
    names = {name: tensor(torch.bfloat16, (index % 3, 2), 200 + index) for index, name in enumerate(odd)}
    yield "every-dtype", every, {"format": "pt"}
    yield "odd-names", names, {"format": "pt"}
    yield "no-metadata", {"scalar": tensor(torch.float32, (), 1), "none": tensor(torch.int64, (0, 5), 2)}, None
    yield "no-tensors", {}, {"é\n": '"quoted"'}
    # One file for each length of the header modulo 8: the padding takes every width.
    for length in range(8):
        yield f"padding-{length}", {"x" * (length + 1): tensor(torch.uint8, (3,), length)}, None


def describe(tensors, metadata):
    """Metadata, and a row for each tensor: name, dtype, shape, the first 16 hex digits of its bytes' sha256."""
    rows = []
    for name, value in tensors.items():
        raw = value.contiguous().flatten().view(torch.uint8).numpy().tobytes() if value.numel() else b""
        shape = list(value.shape)
        if value.dtype == torch.float4_e2m1fn_x2:
            shape[-1] *= 2  # two numbers in each byte
        rows.append([name, DTYPES[value.dtype], shape, hashlib.sha256(raw).hexdigest()[:16]])
    return {"metadata": metadata, "tensors": rows}


def crafted(header, data=b"", length=None):
    body = header if isinstance(header, bytes) else header.encode()
    return struct.pack("<Q", len(body) if length is None else length) + body + data


def entry(dtype="U8", shape="[4]", offsets="[0,4]"):
    return f'{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}'


FOUR = b"\x01\x02\x03\x04"


def crafted_files():
    one = entry()
    yield "valid", crafted(f'{{"a":{one}}}', FOUR)
    yield "valid-spaces-inside", crafted(f' {{"a":{one}}}'[1:].replace(":", " : \t\n\r"), FOUR)
    yield "valid-padding", crafted(f'{{"a":{one}}}    ', FOUR)
    yield "valid-scalar", crafted(f'{{"a":{entry(shape="[]", offsets="[0,1]")}}}', b"\x01")
    yield "valid-empty-tensor", crafted(f'{{"z":{entry(shape="[0]", offsets="[4,4]")},"a":{one}}}', FOUR)
    yield "valid-no-tensors", crafted("{}")
    yield "valid-escaped-key", crafted(f'{{"\\u0061\\ud83d\\ude00":{one}}}', FOUR)
    yield "too-short", b"\x01\x02\x03"
    yield "empty", b""
    yield "header-too-large", crafted(f'{{"a":{one}}}', FOUR, 100_000_001)
    yield "header-length-huge", crafted(f'{{"a":{one}}}', FOUR, 2**64 - 1)
    yield "header-beyond-file", crafted("{}", b"", 3)
    yield "no-header", crafted("")
    yield "invalid-utf8", crafted(b'{"\xff":' + one.encode() + b"}", FOUR)
    yield "overlong-utf8", crafted(b'{"\xc0\xaf":' + one.encode() + b"}", FOUR)
    yield "surrogate-utf8", crafted(b'{"\xed\xa0\x80":' + one.encode() + b"}", FOUR)
    yield "leading-space", crafted(f' {{"a":{one}}}', FOUR)
    yield "byte-order-mark", crafted(b"\xef\xbb\xbf" + f'{{"a":{one}}}'.encode(), FOUR)
    yield "root-array", crafted("[]")
    yield "root-string", crafted('"a"')
    yield "trailing-newline", crafted(f'{{"a":{one}}}\n', FOUR)
    yield "trailing-zero", crafted(f'{{"a":{one}}}\0', FOUR)
    yield "trailing-object", crafted(f'{{"a":{one}}}{{}}', FOUR)
    yield "cut-json", crafted(f'{{"a":{one}', FOUR)
    yield "trailing-comma", crafted(f'{{"a":{one},}}', FOUR)
    yield "no-comma", crafted(f'{{"a":{one}"b":{one}}}', FOUR)
    yield "no-colon", crafted(f'{{"a"{one}}}', FOUR)
    yield "bare-key", crafted(f"{{a:{one}}}", FOUR)
    yield "single-quotes", crafted(f"{{'a':{one}}}", FOUR)
    yield "comment", crafted(f'{{/* */"a":{one}}}', FOUR)
    yield "control-in-string", crafted(f'{{"a\n":{one}}}', FOUR)
    yield "bad-escape", crafted(f'{{"\\x":{one}}}', FOUR)
    yield "short-escape", crafted(f'{{"\\u12":{one}}}', FOUR)
    yield "lone-surrogate", crafted(f'{{"\\ud800":{one}}}', FOUR)
    yield "lone-low-surrogate", crafted(f'{{"\\udc00":{one}}}', FOUR)
    yield "leading-zero", crafted(f'{{"a":{entry(shape="[04]")}}}', FOUR)
    yield "plus-sign", crafted(f'{{"a":{entry(shape="[+4]")}}}', FOUR)
    yield "hex-number", crafted(f'{{"a":{entry(shape="[0x4]")}}}', FOUR)
    yield "nan-number", crafted(f'{{"a":{entry(shape="[NaN]")}}}', FOUR)
    yield "deep-nesting", crafted('{"a":' + "[" * 200 + "]" * 200 + "}")
    yield "duplicate-tensor", crafted(f'{{"a":{one},"a":{one}}}', FOUR)
    yield "duplicate-tensor-escaped", crafted(f'{{"a":{one},"\\u0061":{one}}}', FOUR)
    yield "duplicate-field", crafted('{"a":{"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]}}', FOUR)
    yield "duplicate-metadata", crafted(f'{{"__metadata__":{{}},"__metadata__":{{}},"a":{one}}}', FOUR)
    yield "duplicate-metadata-key", crafted(f'{{"__metadata__":{{"k":"1","k":"2"}},"a":{one}}}', FOUR)
    yield "entry-string", crafted('{"a":"U8"}')
    yield "entry-null", crafted('{"a":null}')
    yield "entry-array", crafted('{"a":["U8",[4],[0,4]]}', FOUR)
    yield "unknown-field", crafted('{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"strides":[1]}}', FOUR)
    yield "no-dtype", crafted('{"a":{"shape":[4],"data_offsets":[0,4]}}', FOUR)
    yield "no-shape", crafted('{"a":{"dtype":"U8","data_offsets":[0,4]}}', FOUR)
    yield "no-offsets", crafted('{"a":{"dtype":"U8","shape":[4]}}', FOUR)
    yield "unknown-dtype", crafted(f'{{"a":{entry("Q4_K")}}}', FOUR)
    yield "lower-case-dtype", crafted(f'{{"a":{entry("u8")}}}', FOUR)
    yield "dtype-number", crafted('{"a":{"dtype":8,"shape":[4],"data_offsets":[0,4]}}', FOUR)
    yield "inherited-dtype", crafted(f'{{"a":{entry("constructor")}}}', FOUR)
    yield "negative-dimension", crafted(f'{{"a":{entry(shape="[-4]")}}}', FOUR)
    yield "minus-zero-dimension", crafted(f'{{"a":{entry(shape="[-0]", offsets="[0,0]")}}}')
    yield "fraction-dimension", crafted(f'{{"a":{entry(shape="[4.0]")}}}', FOUR)
    yield "exponent-dimension", crafted(f'{{"a":{entry(shape="[4e0]")}}}', FOUR)
    yield "string-dimension", crafted(f"""{{"a":{entry(shape='["4"]')}}}""", FOUR)
    yield "null-dimension", crafted(f'{{"a":{entry(shape="[null]")}}}', FOUR)
    yield "shape-number", crafted(f'{{"a":{entry(shape="4")}}}', FOUR)
    yield "dimension-beyond-u64", crafted(f'{{"a":{entry(shape="[18446744073709551616]")}}}', FOUR)
    yield "dimension-beyond-double", crafted(f'{{"a":{entry(shape="[9007199254740993,0]", offsets="[0,0]")}}}')
    yield "product-overflow", crafted(f'{{"a":{entry(shape="[4294967296,4294967296]", offsets="[0,0]")}}}')
    yield "bytes-overflow", crafted(f'{{"a":{entry("F64", "[2305843009213693952]", "[0,0]")}}}')
    yield "sixty-five-dimensions", crafted(f'{{"a":{entry(shape=str([1] * 65), offsets="[0,1]")}}}', b"\x01")
    yield "offsets-reversed", crafted(f'{{"a":{entry(offsets="[4,0]")}}}', FOUR)
    yield "offsets-one", crafted(f'{{"a":{entry(offsets="[4]")}}}', FOUR)
    yield "offsets-three", crafted(f'{{"a":{entry(offsets="[0,4,8]")}}}', FOUR)
    yield "offsets-negative", crafted(f'{{"a":{entry(offsets="[-4,0]")}}}', FOUR)
    yield "offsets-fraction", crafted(f'{{"a":{entry(offsets="[0,4.0]")}}}', FOUR)
    yield "offsets-huge", crafted(f'{{"a":{entry(shape="[0]", offsets="[18446744073709551615,18446744073709551615]")}}}')
    yield "size-mismatch", crafted(f'{{"a":{entry("U16")}}}', FOUR)
    yield "empty-shape-mismatch", crafted(f'{{"a":{entry(shape="[]")}}}', FOUR)
    yield "half-byte", crafted(f'{{"a":{entry("F4", "[3]", "[0,1]")}}}', b"\x01")
    yield "six-bits", crafted(f'{{"a":{entry("F6_E2M3", "[3]", "[0,2]")}}}', b"\x01\x02")
    yield "valid-six-bits", crafted(f'{{"a":{entry("F6_E3M2", "[4]", "[0,3]")}}}', b"\x01\x02\x03")
    yield "hole-first", crafted(f'{{"a":{entry(offsets="[1,5]")}}}', b"\0" + FOUR)
    yield "hole-between", crafted(f'{{"a":{one},"b":{entry(offsets="[5,9]")}}}', FOUR + b"\0" + FOUR)
    yield "overlap", crafted(f'{{"a":{one},"b":{entry(offsets="[3,7]")}}}', FOUR + b"\0\0\0")
    yield "same-bytes", crafted(f'{{"a":{one},"b":{one}}}', FOUR)
    yield "truncated", crafted(f'{{"a":{one}}}', FOUR[:3])
    yield "no-data", crafted(f'{{"a":{one}}}')
    yield "trailing-data", crafted(f'{{"a":{one}}}', FOUR + b"\0")
    yield "data-without-tensors", crafted("{}", FOUR)
    yield "metadata-number", crafted(f'{{"__metadata__":{{"k":1}},"a":{one}}}', FOUR)
    yield "metadata-nested", crafted(f'{{"__metadata__":{{"k":{{}}}},"a":{one}}}', FOUR)
    yield "metadata-null", crafted(f'{{"__metadata__":null,"a":{one}}}', FOUR)
    yield "metadata-tensor", crafted(f'{{"__metadata__":{one}}}', FOUR)
    yield "git-lfs-pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n"
    yield "web-page", b"<!DOCTYPE html><html><body>Sign in</body></html>"


def accepts(data):
    try:
        safetensors.deserialize(data)
    except safetensors.SafetensorError:
        return False
    return True


def write_json(name, value):
    text = json.dumps(value, separators=(",", ":")).replace("],[", "],\n[")
    (FOLDER / name).write_text(text + "\n")


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    written = {}
    for name, tensors, metadata in written_files():
        (FOLDER / f"{name}.safetensors").write_bytes(save(tensors, metadata))
        written[name] = describe(tensors, metadata)
    cases = [[name, accepts(data), base64.b64encode(data).decode()] for name, data in crafted_files()]
    versions = {"safetensors": safetensors.__version__, "torch": torch.__version__}
    write_json("written.json", {"versions": versions, "files": written})
    write_json("crafted.json", {"versions": versions, "cases": cases})


main()
