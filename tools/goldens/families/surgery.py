"""Tensors of a checkpoint folder: their hashes, the pruned copy, and fused experts."""
import hashlib, json, os, re

import torch
from safetensors import safe_open
from safetensors.torch import save_file

EXPERT = re.compile(r"^(.*\.experts\.)(\d+)(\..+)$")
FUSED = re.compile(r"\.experts\.(?:gate_up_proj|down_proj)$|\.(?:input|output)_linear\.weight$")
ROUTER = re.compile(r"\.(?:gate|router|gate\.wg|router\.layer|router\.classifier)\.weight$")
BIAS = re.compile(r"(?:e_score_correction_bias|expert_bias)$")
LAYER = re.compile(r"\.layers\.(\d+)\.")


def tensors_of(folder):
    out = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".safetensors"):
            with safe_open(os.path.join(folder, name), "pt") as f:
                for key in f.keys():
                    out[key] = f.get_tensor(key)
    return out


def described(folder):
    digest = lambda t: hashlib.sha256(t.contiguous().numpy().tobytes()).hexdigest()
    return {k: dict(dtype="F32", shape=list(t.shape), sha256=digest(t)) for k, t in sorted(tensors_of(folder).items())}


def set_count(config, key, experts, kept):
    changed = {}
    for part in (config, config.get("text_config") or {}):
        if key in part:
            changed[key] = [part[key], kept if isinstance(part[key], int) else [kept] * len(part[key])]
            part[key] = changed[key][1]
    assert changed, key
    return changed


def prune(source, target, keep, count, experts):
    os.makedirs(target, exist_ok=True)
    out = {}
    for name, t in tensors_of(source).items():
        layer = LAYER.search(name)
        ks = keep.get(int(layer.group(1))) if layer else None
        m = EXPERT.match(name)
        if ks is not None and m and "shared" not in name:
            e = int(m.group(2))
            if e in ks or e >= experts:  # transformers 5.18 writes unused weights of LongCat's identity experts too
                out[f"{m.group(1)}{ks.index(e) if e < experts else len(ks) + e - experts}{m.group(3)}"] = t
            continue
        if ks is not None and FUSED.search(name):
            t = t[torch.tensor(ks)]
        elif ks is not None and (ROUTER.search(name) or BIAS.search(name)) and t.shape[0] >= experts:
            t = t[torch.tensor(ks + list(range(experts, t.shape[0])))]
        out[name] = t.contiguous()
    save_file(out, os.path.join(target, "model.safetensors"), metadata={"format": "pt"})
    config = json.load(open(os.path.join(source, "config.json")))
    changed = set_count(config, count, experts, len(next(iter(keep.values()))))
    json.dump(config, open(os.path.join(target, "config.json"), "w"), indent=2)
    return changed


def fuse(folder):
    """Experts as the hub stores them for this family: one tensor each, where save_pretrained writes them one by one."""
    parts, out = {}, {}
    for name, t in tensors_of(folder).items():
        m = EXPERT.match(name)
        if m is None:
            out[name] = t
        else:
            parts.setdefault(m.group(1), {}).setdefault(int(m.group(2)), {})[m.group(3)] = t
    for prefix, experts in parts.items():
        rows = [experts[e] for e in sorted(experts)]
        pairs = [torch.cat([r[".gate_proj.weight"], r[".up_proj.weight"]]) for r in rows]
        out[f"{prefix}gate_up_proj"] = torch.stack(pairs)
        out[f"{prefix}down_proj"] = torch.stack([r[".down_proj.weight"] for r in rows])
    save_file(out, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
