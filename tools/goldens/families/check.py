"""Checks the families' goldens with nothing but the standard library and numpy.

    python tools/goldens/families/check.py tools/goldens/data

Derives again, from the bytes of each checkpoint: the logits of the last position from the last hidden state, every
identity between the sums, the kept experts, and name, shape and sha256 of every tensor of the pruned checkpoints.
"""
import base64, hashlib, json, os, re, struct, sys

import numpy as np

EXPERTS = 8
BLOCK = re.compile(r"\.layers\.(\d+)\.")
NUMBERED = re.compile(r"(.*\.experts\.)(\d+)(\..*)")
ROWS = re.compile(r"(gate|gate\.wg|router\.layer|router\.classifier)\.weight|(e_score_correction|expert)_bias"
                  r"|\.experts\.(gate_up|down)_proj|(input|output)_linear\.weight")
failures = 0


def expect(right, *what):
    global failures
    if not right:
        failures += 1
        print("FAIL", *what)


def close(a, b, tolerance=1e-9):
    return np.allclose(a, b, rtol=tolerance, atol=1e-12)


def tensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        body = file.read()
    header.pop("__metadata__", None)
    return {k: (v["dtype"], v["shape"], body[slice(*v["data_offsets"])]) for k, v in header.items()}


def array(source, suffix):
    """The tensor outside the layers whose name ends so, in float64; None where there is none."""
    found = [t for k, t in source.items() if k.endswith(suffix) and not BLOCK.search(k) and "visual" not in k]
    return np.frombuffer(found[0][2], "<f4").reshape(found[0][1]).astype(float) if len(found) == 1 else None


def last_logits(config, source, hidden):
    """Final norm and head of one position. Zero-centred, LayerNorm and tied embeddings as the family has them."""
    names = (".norm.weight", ".norm_f.weight", ".embedding_norm.weight")
    weight = next(w for w in (array(source, n) for n in names) if w is not None)
    eps = next(config[k] for k in ("rms_norm_eps", "norm_eps", "layer_norm_epsilon") if k in config)
    bias = array(source, "model.norm.bias")
    x = hidden if bias is None else hidden - hidden.mean()
    x = x / np.sqrt((x ** 2).mean() + eps)
    x = x * (1 + weight if config["model_type"] in ("qwen3_next", "qwen3_5_moe_text") else weight)
    x = x if bias is None else x + bias
    head = array(source, "lm_head.weight")
    if head is None:
        head = array(source, "embed_tokens.weight")
    offset = array(source, "lm_head.bias")
    return (head @ x + (0 if offset is None else offset)) / config.get("logits_scaling", 1)


def expected_keep(reap, ratio, groups):
    size, keep = EXPERTS // groups, []
    for first in range(0, EXPERTS, size):
        ranked = sorted(range(first, first + size), key=lambda j: (reap[j], j))
        keep += ranked[EXPERTS * ratio // 100 // groups:]
    return sorted(keep)


def expected_tensors(source, retained):
    out = {}
    for name, (dtype, shape, raw) in source.items():
        block = BLOCK.search(name)
        keep = retained.get(block[1]) if block else None
        numbered = NUMBERED.fullmatch(name)
        if keep is not None and numbered and "shared" not in name:
            expert = int(numbered[2])
            if expert < EXPERTS and expert not in keep:
                continue
            place = keep.index(expert) if expert < EXPERTS else expert - EXPERTS + len(keep)
            name = f"{numbered[1]}{place}{numbered[3]}"
        elif keep is not None and ROWS.search(name) and not name.endswith("shared_expert_gate.weight"):
            row = len(raw) // shape[0]
            rows = [*keep, *range(EXPERTS, shape[0])]
            raw, shape = b"".join(raw[j * row:(j + 1) * row] for j in rows), [len(rows), *shape[1:]]
        out[name] = dict(dtype=dtype, shape=shape, sha256=hashlib.sha256(raw).hexdigest())
    return out


def check(where, config, source, sequences, golden):
    tokens, text = sum(map(len, sequences)), config.get("text_config", config)
    base = golden["baseline"]
    expect(base["n_predicted_tokens"] == tokens - len(sequences), where, "predicted tokens")
    expect(close(sum(base["per_sequence"]), base["nll_sum"]), where, "nll_sum")
    expect(close(base["nll_sum"] / base["n_predicted_tokens"], base["mean_nll"]), where, "mean_nll")
    after = [np.frombuffer(base64.b64decode(x), "<f4") for x in golden["hidden_after_layer"]]
    width = text["hidden_size"]
    expect(all(x.size == len(sequences[0]) * width and np.isfinite(x).all() for x in after), where, "hidden states")
    logits = last_logits(text, source, after[-1].reshape(-1, width)[-1].astype(float))
    expect(np.abs(logits - golden["logits_last"]).max() < 2e-5, where, "logits_last")
    for entry in golden["layers"]:
        layer, m = entry["layer"], {k: np.array(v) for k, v in entry["model"].items()}
        count = m["expert_frequency"]
        routed = count.sum()
        expect(entry["tokens"] == tokens and entry["num_experts"] == EXPERTS, where, layer, "tokens")
        expect(routed == tokens * entry["top_k"] or "zero_expert_num" in config and routed < tokens * entry["top_k"],
               where, layer, "counts")
        expect(close(m["reap"] * np.maximum(count, 1), m["weighted_ean_sum"]), where, layer, "reap")
        expect(close(m["ean_mean"] * np.maximum(count, 1), m["ean_sum"]), where, layer, "ean_mean")
        squares = m["weighted_ean_sum"] ** 2
        expect((m["weighted_ean_sq_sum"] * count * (1 + 1e-9) >= squares).all(), where, layer, "sums of squares")
        most = count * m["max_abs_activation"] * width ** 0.5 * (1 + 1e-6)
        expect((m["ean_sum"] <= most).all(), where, layer, "maxima")
        expect(entry["min_choice_gap"] > 5e-5, where, layer, "choice gap")
        for ratio, cut in golden.get("pruned", {}).items():
            keep = expected_keep(entry["model"]["reap"], int(ratio), text.get("n_group", 1))
            expect(cut["retained"][str(layer)] == keep, where, layer, ratio, "kept")
    for ratio, cut in golden.get("pruned", {}).items():
        expect(len(cut["retained"]) == len(golden["layers"]), where, ratio, "layers")
        expect(np.isfinite(cut["eval"]["mean_nll"]), where, ratio, "eval")
        expect(cut["tensors"] == expected_tensors(source, cut["retained"]), where, ratio, "pruned tensors")


def patched(config, changes):
    for dotted, (_, new) in changes.items():
        *path, last = dotted.split(".")
        at = config
        for key in path:
            at = at[key]
        at[last] = new
    return config


def main(root):
    for name in sorted(os.listdir(root)):
        read = lambda file: json.load(open(os.path.join(root, name, file)))
        golden, source = read("golden.json"), tensors(os.path.join(root, name, "model.safetensors"))
        check(name, read("config.json"), source, read("input_ids.json")["input_ids"], golden)
        for other in golden.get("variants", []):
            config = patched(read("config.json"), other["config_changes"])
            check(f"{name}, {other['name']}", config, source, other["input_ids"], other)
        print(f"{name}: {len(source)} tensors, {1 + len(golden.get('variants', []))} configs")
    print("failures:", failures)
    sys.exit(1 if failures else 0)


main(sys.argv[1])
